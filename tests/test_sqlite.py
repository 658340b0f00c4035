"""The SQLite store: one file, private, of a known version, every list read by index."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.accounting import resident
from gateway.ledger.queries import ActivityQuery, GenerationQuery, UserQuery
from gateway.ledger.sqlite import (
    SqliteStore,
    activity,
    applying,
    erasing,
    generations,
    schema,
    users,
)
from gateway.ledger.sqlite.executor import Executor
from gateway.ledger.sqlite.migrations import MIGRATIONS
from gateway.ledger.store import StoreUnavailable
from tests.parts.generations import DAY, generation, records

APP = frozenset({"app"})
MIB = 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file goes; its folder is not made yet."""
    return tmp_path / "data" / "hearth.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = await SqliteStore.open(path)
    yield opened
    await opened.close()


def pragma(path: Path, name: str) -> Any:
    """A setting as the file has it."""
    db = sqlite3.connect(path)
    try:
        return db.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        db.close()


def replace(path: Path) -> None:
    """Put another file in its place."""
    path.with_name("copy").touch()
    path.with_name("copy").replace(path)


async def test_only_the_owner_may_read(store: SqliteStore, path: Path) -> None:
    """User ids are in the file and in its log: both are closed to everyone else."""
    await store.apply(records(generation(1)))
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert set(modes) >= {"hearth.db", "hearth.db-wal"}
    assert set(modes.values()) == {0o600}


async def test_version_is_noted(store: SqliteStore, path: Path) -> None:
    """A file knows the version of its tables."""
    assert pragma(path, "user_version") == len(MIGRATIONS)


async def test_commits_are_synced(path: Path) -> None:
    """A batch survives a power cut once applied: the journal is deleted on its word."""
    schema.prepare(path)
    db = schema.connect(path)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


async def test_reading_keeps_little_in_memory(path: Path) -> None:
    """A worker that has looked through a large file is not larger for it."""
    file = schema.prepare(path)
    with closing(schema.connect_to_write(path)) as writer:
        writer.execute("CREATE TABLE more (bytes)")
        writer.execute("BEGIN")
        writer.executemany("INSERT INTO more VALUES (zeroblob(?))", [(4000,)] * 12_000)
        writer.execute("COMMIT")
    executor = Executor(path, file, threads=1)
    assert await executor.run(looking_through) < 16 * MIB
    await executor.close()


def looking_through(db: sqlite3.Connection) -> int:
    """Bytes that the process is larger by afterwards."""
    before = resident(os.getpid())
    db.execute("SELECT count(*) FROM more WHERE bytes = ''").fetchone()
    return resident(os.getpid()) - before


async def test_a_log_that_a_long_reader_made_grow(path: Path) -> None:
    """It takes its part of the disk only for as long as it must."""
    schema.prepare(path)
    log = path.with_name("hearth.db-wal")
    with closing(schema.connect(path)) as writer, closing(schema.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM generations").fetchone()
        writer.execute("CREATE TABLE more (bytes)")
        while log.stat().st_size < 80 * MIB:
            writer.execute("INSERT INTO more VALUES (zeroblob(?))", (8 * MIB,))
        reader.execute("COMMIT")
        for _ in range(2):  # the first copies the log into the file, the second begins anew
            writer.execute("INSERT INTO more VALUES (1)")
        assert log.stat().st_size == 64 * MIB


async def test_file_of_a_later_version(path: Path) -> None:
    """A file of a later Hearth is refused, by name and version, and left as it is."""
    await (await SqliteStore.open(path)).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(StoreUnavailable, match=r"hearth\.db: made by a later Hearth: version 999"):
        await SqliteStore.open(path)
    assert pragma(path, "user_version") == 999


async def test_file_that_is_no_database(tmp_path: Path) -> None:
    """Another kind of file is refused by name, not overwritten."""
    diary, text = tmp_path / "diary", "dear diary, " * 100
    await asyncio.to_thread(diary.write_text, text)
    with pytest.raises(StoreUnavailable, match="diary: file is not a database"):
        await SqliteStore.open(diary)
    assert await asyncio.to_thread(diary.read_text) == text


def test_nothing_stays_open_of_it(tmp_path: Path) -> None:
    """Not even while somebody holds the error, whose traceback holds the connection."""
    diary = tmp_path / "diary"
    diary.write_text("dear diary, " * 100)
    with pytest.raises(sqlite3.DatabaseError) as refused:
        schema.connect(diary)
    assert diary not in [each.resolve() for each in Path("/proc/self/fd").iterdir()], refused


async def test_folder_that_cannot_be(tmp_path: Path) -> None:
    """A path below a file is refused with its name."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        await SqliteStore.open(tmp_path / "file" / "hearth.db")


async def test_opening_beside_a_writer(store: SqliteStore, path: Path) -> None:
    """A file that is up to date can be opened while another process writes for long: a worker that
    dies meanwhile has a successor."""
    with closing(schema.connect(path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        await (await SqliteStore.open(path)).close()


@pytest.mark.parametrize("attempt", range(25))
async def test_processes_that_start_together(path: Path, attempt: int) -> None:
    """Workers that open a new file at the same moment make its tables once, and none fails."""
    stores = await asyncio.gather(*(SqliteStore.open(path) for _ in range(8)))
    for index, store in enumerate(stores):
        await store.apply(records(generation(index), writer=f"{attempt}-{index}"))
    assert len(await stores[0].generations(GenerationQuery())) == 8
    for store in stores:
        await store.close()


async def test_failed_batch_leaves_nothing(store: SqliteStore, path: Path) -> None:
    """When a batch fails midway nothing of it stays, and it can be applied later."""
    db = sqlite3.connect(path)
    db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON writers BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(StoreUnavailable, match=r"hearth\.db: disk full"):
        await store.apply(records(generation(1)))
    assert await store.generations(GenerationQuery()) == []
    db.execute("DROP TRIGGER full")
    db.close()
    await store.apply(records(generation(1)))
    assert len(await store.generations(GenerationQuery())) == 1


async def test_cancelled_batch_is_whole(store: SqliteStore) -> None:
    """Cancelling the caller of `apply` leaves all of the batch or none."""
    applying = asyncio.create_task(store.apply(records(*map(generation, range(300)))))
    await asyncio.sleep(0)
    applying.cancel()
    await asyncio.wait([applying])
    await store.apply(records(generation(999), writer="v"))
    assert len(await store.generations(GenerationQuery(limit=999))) in (1, 301)


@pytest.mark.parametrize("lose", [Path.unlink, replace])
async def test_file_that_is_lost_in_use(
    store: SqliteStore, path: Path, lose: Callable[[Path], Any]
) -> None:
    """A store whose file was deleted or replaced says so and takes nothing, also on a thread that
    had not opened it: the journal must not go on the word of a file that nobody finds."""
    await store.apply(records(generation(1)))
    lose(path)
    for ask in (store.apply(records(generation(2))), store.positions(["w"])):
        with pytest.raises(StoreUnavailable, match=r"hearth\.db was deleted or replaced"):
            await ask


async def test_expiry_goes_in_pieces(store: SqliteStore) -> None:
    """More rows than are deleted at once all go."""
    settled = [generation(number, user=f"u{number}") for number in range(4500)]
    await store.apply(records(*settled))
    await store.expire(settled[-1].created_at, DAY + 1)
    assert await store.generations(GenerationQuery()) == [settled[-1]]
    assert await store.users(UserQuery(since=0, until=DAY)) == []


async def test_erased_user_is_gone_from_the_disk(store: SqliteStore, path: Path) -> None:
    """Neither the file nor its log holds the bytes of an erased user's id."""
    for first in range(1, 2000, 100):
        calls = [
            generation(n, user="secretive" if n % 9 == 0 else f"u{n % 50}", cost=n)
            for n in range(first, first + 100)
        ]
        await store.apply(records(*calls, first=first))
    assert await store.erase("app", "secretive") > 200
    left = [entry.read_bytes() for entry in path.parent.iterdir()]
    assert len(left) == 3
    assert not any(b"secretive" in content for content in left)


async def test_erasing_beside_a_reader(store: SqliteStore, path: Path) -> None:
    """Someone who is reading meanwhile delays nothing for long and is not disturbed."""
    await store.apply(records(generation(1)))
    with closing(sqlite3.connect(path)) as db:
        db.execute("BEGIN")
        assert db.execute("SELECT count(*) FROM generations").fetchone() == (1,)
        async with asyncio.timeout(4.5):  # SQLite itself would wait for five seconds
            assert await store.erase("app", "user_1") == 1
            await store.apply(records(generation(2), first=2))
        assert db.execute("SELECT count(*) FROM generations").fetchone() == (1,)


SMALL = {"lists", "spreads", "retention", "json_each", "own", "person", "CONSTANT"}
"""What may be read whole: what does not grow with users or calls."""

PLANS: list[tuple[Callable[[sqlite3.Connection], object], str]] = [
    (lambda db: generations.generation(db, "gen-1", APP), "sqlite_autoindex_generations_1"),
    (lambda db: generations.generation(db, "gen-1", APP), "generations_by_upstream_id"),
    (lambda db: generations.generations(db, GenerationQuery()), "generations_newest"),
    (
        lambda db: generations.generations(db, GenerationQuery(before=(5, "x"), flagged=True)),
        "generations_flagged",
    ),
    (
        lambda db: generations.generations(db, GenerationQuery(flagged=False, status="ok")),
        "generations_newest",
    ),
    (
        lambda db: generations.generations(db, GenerationQuery(status="503", provider="a")),
        "generations_by_status",
    ),
    (
        lambda db: generations.generations(db, GenerationQuery(status="failed", flagged=True)),
        "generations_by_outcome",
    ),
    (
        lambda db: generations.generations(
            db, GenerationQuery(model="small", provider="a", since=1)
        ),
        "generations_by_list",
    ),
    (lambda db: generations.generations(db, GenerationQuery(provider="a")), "generations_by_list"),
    (lambda db: generations.generations(db, GenerationQuery(tenants=APP)), "generations_by_list"),
    (
        lambda db: generations.generations(
            db, GenerationQuery(tenants=APP, since=1, before=(5, "x"), status="200")
        ),
        "generations_by_list",
    ),
    (
        lambda db: generations.generations(db, GenerationQuery(tenants=APP, user="u", until=9)),
        "generations_by_user",
    ),
    (lambda db: activity.activity(db, ActivityQuery(since=1, until=9)), "PRIMARY KEY"),
    (
        lambda db: activity.activity(db, ActivityQuery(since=1, until=9, by=frozenset({"user"}))),
        "PRIMARY KEY",
    ),
    (
        lambda db: activity.activity(
            db, ActivityQuery(since=1, until=9, users=frozenset({"u"}), tenants=APP)
        ),
        "PRIMARY KEY (day=? AND tenant=? AND user=?)",
    ),
    (lambda db: activity.hours(db, 1, 9, APP), "PRIMARY KEY"),
    (lambda db: activity.active_users(db, 1, 9, None), "PRIMARY KEY"),
    (
        lambda db: users.named_after(db, 0, DAY, ("app", ""), 9),
        "PRIMARY KEY (month=? AND (tenant,user)>(?,?))",
    ),
    (lambda db: erasing.erase_generations(db, "app", "u", 9), "generations_by_user"),
    (
        lambda db: erasing.erase_month(db, "app", "user_1"),
        "PRIMARY KEY (day=? AND tenant=? AND user=?)",
    ),
]


@pytest.mark.parametrize(("read", "index"), PLANS, ids=[str(n) for n in range(len(PLANS))])
def test_reads_use_an_index(
    path: Path, read: Callable[[sqlite3.Connection], object], index: str
) -> None:
    """Nothing walks a large table from end to end; lists only sort what came at the same moment."""
    schema.prepare(path)
    db = schema.connect(path)
    applying.apply(db, records(generation(1)))
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    read(db)
    db.set_trace_callback(None)
    steps = [
        str(row[3])
        for statement in statements
        if statement.split()[0] in ("SELECT", "DELETE")
        for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    db.close()
    assert any(index in step for step in steps), steps
    scans = [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]
    assert {step.split()[1] for step in scans} <= SMALL, steps
    if index.startswith("generations_") and index != "generations_by_upstream_id":
        assert "USE TEMP B-TREE FOR ORDER BY" not in steps, steps
