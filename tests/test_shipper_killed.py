"""Processes that append or ship, and are killed in the middle of it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from gateway.ledger.queries import GenerationQuery
from gateway.ledger.segment import segments
from gateway.ledger.shipper import Shipper
from gateway.ledger.sqlite import SqliteStore
from tests.parts.stores import counted

CHILD = "tests.parts.ledger_child"


def killed(task: str, folder: Path, after: int) -> list[str]:
    """Run a child until it has told `after` ids, kill it in the middle of things; all it told."""
    with subprocess.Popen(
        [sys.executable, "-m", CHILD, task, str(folder)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        told = [child.stdout.readline() for _ in range(after)]
        child.kill()
        # The last line may have been cut by the kill: then nobody was told.
        told += [line for line in child.stdout if line.endswith("\n")]
    return [line.strip() for line in told]


@pytest.mark.parametrize("task", ["append", "ship"])
async def test_killed_process_loses_nothing(tmp_path: Path, task: str) -> None:
    """SIGKILL at any moment, also mid-batch: each id that was told is counted, and once."""
    random = Random(task)
    told: list[str] = []
    for _ in range(4):
        told += await asyncio.to_thread(killed, task, tmp_path, random.randrange(1, 2000))
    store = await SqliteStore.open(tmp_path / "hearth.db")
    await Shipper(tmp_path / "journal", store).flush()
    kept = [each.id for each in await store.generations(GenerationQuery(limit=10**9))]
    assert len(kept) == len(set(kept)) == await counted(store)
    assert set(told) <= set(kept)
    assert len(kept) - len(told) <= 4
    assert segments(tmp_path / "journal") == []
    await store.close()
