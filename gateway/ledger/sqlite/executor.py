"""Threads that work on one SQLite file, so that the event loop never waits for the disk."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.ledger.sqlite.schema import connect
from gateway.ledger.store import StoreUnavailable

T = TypeVar("T")


class Executor:
    """Runs work on `threads` threads, each with a connection of its own, made by `connect`.

    `file` is the one at `path`. Where another is there, or none, nothing is done: SQLite would go
    on in the one that nobody finds any more, and journals would be deleted on its word.
    """

    def __init__(
        self,
        path: Path,
        file: os.stat_result,
        threads: int,
        connect: Callable[[Path], sqlite3.Connection] = connect,
    ) -> None:
        self._path = path
        self._file = file
        self._connect = connect
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sqlite")
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns; an error of SQLite becomes StoreUnavailable.

        Work that has begun is done to its end even when the caller is cancelled.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._do, work)

    async def close(self) -> None:
        """Finish what was begun, then close the connections."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
        for connection in self._connections:
            await asyncio.to_thread(connection.close)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if not self._is_there():
            raise StoreUnavailable(f"{self._path} was deleted or replaced: restart Hearth")
        try:
            return work(self._connection())
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self._path}: {error}") from error

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), self._file)
        except OSError:
            return False

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connect(self._path)
            self._connections.append(connection)
        return connection
