"""The embedded store: one SQLite file, shared by the worker processes of one machine.

store, executor           the store's methods, and the threads that they run on
schema, migrations/       the tables, and how older ones become these
applying                  counting parcels; months, presence: by user and calendar month
counters                  rows of counters, in and out
generations               reads of single generations
activity                  reads of hours and days
users, leaderboard,       reads of users: over any days, of a month, and filtered; how a month's
search, spread            are spread
where, conditions, orders parts of their SQL
erasing, expiry, recount  erasing a user, expiry, and the recount
"""

from gateway.ledger.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
