"""What was recorded is in the journal by the end of the turn, or counted as lost."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from gateway.ledger.backlog import Backlog
from gateway.ledger.journal import Journal
from gateway.ledger.line import record_of
from gateway.ledger.recorder import Recorder
from gateway.ledger.segment import segments
from tests.parts.clock import Clock
from tests.parts.generations import generation
from tests.parts.waiting import until


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A worker's journal."""
    return Journal(tmp_path)


def journaled(folder: Path) -> list[str | None]:
    """The users of the records in the journals, in order."""
    files = sorted(folder.glob("*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().splitlines()]
    return [record.generation.user for record in map(record_of, lines) if record]


async def test_safe_at_the_end_of_the_turn(journal: Journal) -> None:
    """What is recorded in one turn of the loop is in the journal in the next, without being asked;
    and at once with `commit`. Each time `written` is called once."""
    written: list[int] = []
    recorder = Recorder(journal, lambda: written.append(1), time.time)
    recorder.record(generation(1, user="anna"))
    recorder.record(generation(2, user="boris"))
    assert (journaled(journal.folder), written) == ([], [])
    await asyncio.sleep(0)
    assert journaled(journal.folder) == ["anna", "boris"]
    recorder.record(generation(3, user="clara"))
    recorder.commit()
    assert journaled(journal.folder) == ["anna", "boris", "clara"]
    await asyncio.sleep(0)
    assert written == [1, 1]


async def test_close(journal: Journal) -> None:
    """What was recorded just before is written, and the journal let go."""
    recorder = Recorder(journal, lambda: None, time.time)
    recorder.record(generation(1, user="anna"))
    recorder.close()
    assert journaled(journal.folder) == ["anna"]
    recorder.record(generation(2))
    recorder.commit()
    assert recorder.lost == 1


async def test_what_was_applied_leaves_the_disk(journal: Journal) -> None:
    """A file that is not full is closed in time, also where no call comes after, so that it can be
    deleted; one without a record stays."""
    recorder = Recorder(journal, lambda: None, time.time, segment_age=0.01)
    for number in (1, 2):
        recorder.record(generation(number))
        await until(lambda: len(segments(journal.folder)) > number)  # noqa: B023
    backlog = Backlog(journal.folder)
    for batch in backlog.batches({}):
        backlog.applied(batch)
    backlog.clean()
    [left] = segments(journal.folder)
    assert left.path.read_bytes() == b""


async def test_journal_that_is_deleted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is put back soon with all that was recorded, and at the end at once; the log says it once
    in a minute."""
    folder = tmp_path / "journal"
    recorder = Recorder(Journal(folder), lambda: None, time.time)
    recorder.record(generation(1, user="anna"))
    recorder.commit()
    shutil.rmtree(folder)
    recorder.record(generation(2, user="boris"))
    await until(lambda: journaled(folder) == ["anna", "boris"])
    shutil.rmtree(folder)
    recorder.close()
    assert journaled(folder) == ["anna", "boris"]
    [entry] = caplog.records
    assert entry.levelname == "ERROR"
    assert f"{folder}: its file was deleted" in entry.message


async def test_one_record_that_cannot_be_written(journal: Journal) -> None:
    """Those of the same turn are written all the same; it is counted as lost."""
    recorder = Recorder(journal, lambda: None, time.time)
    for user in ("before", "\ud800", "after"):
        recorder.record(generation(1, user=user, id=f"gen-{len(user)}"))
    recorder.commit()
    assert recorder.lost == 1
    assert journaled(journal.folder) == ["before", "after"]


async def test_losses_are_told(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    """`commit` returns when the journal takes nothing. Each loss is counted, the first is logged,
    and the next one after a minute without any."""
    clock = Clock()
    recorder = Recorder(journal, lambda: None, clock)
    journal.close()
    for seconds in (0, 59, 59, 61):
        clock.now += seconds
        recorder.record(generation(1))
        recorder.record(generation(2))
        recorder.commit()
    assert recorder.lost == 8
    assert [entry.levelname for entry in caplog.records] == ["ERROR", "ERROR"]
    assert "records are being lost" in caplog.text


async def test_each_trouble_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """That records are lost is logged also where it was just said that their file was gone."""
    journal = Journal(tmp_path / "journal")
    recorder = Recorder(journal, lambda: None, Clock())
    shutil.rmtree(journal.folder)
    recorder.record(generation(1))
    journal.close()
    recorder.commit()
    assert recorder.lost == 1
    assert [entry.message.split(":")[0] for entry in caplog.records] == [
        f"journal {journal.folder}",
        "records are being lost",
    ]


async def test_nobodys_calls_fill_no_disk(journal: Journal) -> None:
    """Of calls without a known key so many a minute are kept; all of a key's are."""
    clock = Clock()
    recorder = Recorder(journal, lambda: None, clock)
    for number in range(100):
        recorder.record(generation(number, tenant="", user="nobody"))
        recorder.record(generation(number, user="anna"))
    recorder.commit()
    kept = journaled(journal.folder)
    assert (kept.count("nobody"), kept.count("anna")) == (60, 100)
    clock.now += 60
    recorder.record(generation(1, tenant="", user="nobody"))
    recorder.commit()
    assert journaled(journal.folder).count("nobody") == 61
