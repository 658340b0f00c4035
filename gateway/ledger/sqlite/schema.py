"""Opening the file: private, of the version this Hearth knows."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.ledger.sqlite.migrations import MIGRATIONS

_MAX_LOG = 64 * 1024 * 1024
"""Bytes; four times what the log has between two checkpoints, so that it is seldom cut."""


class TooNew(sqlite3.DatabaseError):
    """The file was written by a later Hearth."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for use from any one thread at a time, transactions are explicit.

    `synchronous=FULL` syncs the write-ahead log on every commit: journals are deleted on the word
    of a commit, so it must outlive a power cut (sqlite.org/pragma.html#pragma_synchronous). A
    batch shares one sync. A log of four times the usual length (sqlite.org/wal.html#avoiding_
    excessively_large_wal_files) takes a fifth off the CPU of a record: pages that change with
    nearly every batch are copied into the file a quarter as often. While somebody reads for long,
    as a recount does, the log only grows; what is over `_MAX_LOG` goes when it is begun anew.

    `secure_delete` overwrites what is deleted: an erased user is not left in free space.
    """
    db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA wal_autocheckpoint = 4000")
        db.execute(f"PRAGMA journal_size_limit = {_MAX_LOG}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def connect_to_write(path: Path) -> sqlite3.Connection:
    """The same for who applies batches: 8 MiB of pages are kept instead of SQLite's own 2 MB.

    Where the same users come again and again, a record costs a tenth less CPU with it; four times
    as much gains nothing more, and stays in the process for good once one batch has filled it.
    """
    db = connect(path)
    db.execute("PRAGMA cache_size = -8192")
    return db


def prepare(path: Path) -> os.stat_result:
    """Create the file, for its owner's eyes only, or bring it up to date; returns which one it is.

    Raises sqlite3.Error, OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(path.parent):
        _create(path)
        db = connect(path)
        try:
            _migrate(db)
        finally:
            db.close()
        return path.stat()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: a change of the journal's mode fails at once beside another.

    SQLite does not wait for it, whatever its time limit (sqlite.org/c3ref/busy_handler.html: where
    two would wait for each other it is not called).
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _create(path: Path) -> None:
    """Make the file unless it is there.

    One that is there is not opened: closing it would drop every lock that SQLite has on it in this
    process (sqlite.org/howtocorrupt.html, section 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _migrate(db: sqlite3.Connection) -> None:
    """Writes only what is missing: the disk may be full, or somebody else write for long."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise TooNew(f"made by a later Hearth: version {version}, known up to {len(MIGRATIONS)}")
    if missing := MIGRATIONS[version:]:
        db.execute("BEGIN IMMEDIATE")
        with db:
            for migration in missing:
                for statement in migration:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
