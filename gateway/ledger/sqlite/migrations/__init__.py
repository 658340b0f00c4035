"""How a file gets from one version of its tables to the next."""

from gateway.ledger.sqlite.migrations import (
    version1,
    version2,
    version3,
    version4,
    version5,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    version1.STATEMENTS,
    version2.STATEMENTS,
    version3.STATEMENTS,
    version4.STATEMENTS,
    version5.STATEMENTS,
)
"""The statements of each version, run once on a file of the version before."""
