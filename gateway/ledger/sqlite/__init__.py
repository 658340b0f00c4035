"""The embedded store: one SQLite file, shared by the worker processes of one machine."""

from gateway.ledger.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
