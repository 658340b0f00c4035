"""The embedded store: one SQLite file, shared by the worker processes of one machine.

store, lane               the store's methods, and the threads that they work in
schema, migrations/       the tables, and how older ones become these
writes                    records counted; months, presence: for their users, by calendar month
counters                  rows of counters, in and out
lists                     single generations
days                      hours and days
users, standings, crowd   users of any range of days, of a month, and all of them
where, conditions, orders the parts of their SQL
erasing, expiry, recount  forgetting, and counting again
"""

from gateway.ledger.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
