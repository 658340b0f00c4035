"""The backlog: whole lines only, each once, and files go when nobody needs them."""

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from gateway.generation import Record
from gateway.ledger.backlog import BATCH_BYTES, BATCH_RECORDS, Backlog
from gateway.ledger.journal import Journal
from gateway.ledger.named import named
from gateway.ledger.segment import Segment, segments
from tests.parts.generations import generation, record
from tests.parts.uncollected import count_of, uncollected


def drain(backlog: Backlog) -> list[Record]:
    """All that is new, as a store takes it."""
    taken: list[Record] = []
    for batch in backlog.batches({}):
        taken += map(record, batch.parcels)
        backlog.applied(batch)
    return taken


def written(folder: Path, *numbers: int) -> Path:
    """The segment of a writer that appended those generations and is gone."""
    journal = Journal(folder, writer="w")
    for number in numbers:
        journal.append(generation(number))
    journal.close()
    return segments(folder)[0].path


def ids(records: Iterable[Record]) -> list[int]:
    return [int(each.generation.id[-6:]) for each in records]


def test_each_record_comes_once(tmp_path: Path) -> None:
    """What was applied does not come again; what was appended since does."""
    journal, backlog = Journal(tmp_path), Backlog(tmp_path)
    journal.append(generation(1))
    assert ids(drain(backlog)) == [1]
    journal.append(generation(2))
    assert ids(drain(backlog)) == [2]


def test_unapplied_batch_comes_again(tmp_path: Path) -> None:
    """A batch the store did not take is offered again as it was."""
    written(tmp_path, 1, 2)
    backlog = Backlog(tmp_path)
    for _ in range(2):
        (batch,) = backlog.batches({})
        assert (ids(map(record, batch.parcels)), len(batch.places)) == ([1, 2], 1)


def test_positions_skip_what_was_applied(tmp_path: Path) -> None:
    """After a restart only the sequences above the store's position are read."""
    written(tmp_path, 1, 2, 3)
    (batch,) = Backlog(tmp_path).batches({"w": 2})
    assert ids(map(record, batch.parcels)) == [3]


@pytest.mark.parametrize("position", [1, 170, 500, 998, 1000])
def test_positions_in_a_long_segment(tmp_path: Path, position: int) -> None:
    """Wherever in it the store's position is, what follows comes, and nothing else."""
    written(tmp_path, *range(1, 1001))
    backlog = Backlog(tmp_path)
    taken: list[int] = []
    for batch in backlog.batches({"w": position}):
        taken += ids(map(record, batch.parcels))
        backlog.applied(batch)
    assert taken == list(range(position + 1, 1001))
    backlog.clean()
    assert segments(tmp_path) == []


def test_a_store_that_lost_what_it_had(tmp_path: Path) -> None:
    """Where a writer's position is lower than it was, all above it comes again, once."""
    journal, backlog = Journal(tmp_path, writer="w"), Backlog(tmp_path)
    for number in (1, 2, 3):
        journal.append(generation(number))
    drain(backlog)
    for position, lost in (({"w": 1}, [2, 3]), ({"w": 0}, [1, 2, 3]), ({"w": 3}, [])):
        batches = list(backlog.batches(position))
        assert [ids(map(record, batch.parcels)) for batch in batches] == [lost] * bool(lost)
        for batch in batches:
            backlog.applied(batch)


def test_no_file_stays_open(tmp_path: Path) -> None:
    """Whoever stops halfway through the batches, or finds what a store lacks first, leaves none."""
    path, backlog = written(tmp_path, *range(1, 1001)), Backlog(tmp_path)
    batches = backlog.batches({})
    next(batches)
    assert backlog.waiting({"w": 500}).size > 0
    assert path not in [each.resolve() for each in Path("/proc/self/fd").iterdir()]


def test_segments_come_in_order(tmp_path: Path) -> None:
    """A writer's records come by sequence across its segments."""
    journal = Journal(tmp_path, segment_size=1)
    for number in range(12):
        journal.append(generation(number))
    assert ids(drain(Backlog(tmp_path))) == list(range(12))


def test_batches_are_bounded_by_records(tmp_path: Path) -> None:
    """A batch has at most `BATCH_RECORDS` records, over all writers together."""
    for _ in range(2):
        journal = Journal(tmp_path)
        for number in range(BATCH_RECORDS - 1):
            journal.append(generation(number))
    sizes = [len(batch.parcels) for batch in Backlog(tmp_path).batches({})]
    assert sizes == [BATCH_RECORDS, BATCH_RECORDS - 2]


def test_batches_are_bounded_by_bytes(tmp_path: Path) -> None:
    """Long records end a batch early, and one longer than a batch is still read whole."""
    journal = Journal(tmp_path)
    for number in range(2):
        journal.append(generation(number, error="x" * 3 * BATCH_BYTES))
    sizes = [len(batch.parcels) for batch in Backlog(tmp_path).batches({})]
    assert sizes == [1, 1]


def test_unfinished_line_of_a_live_writer(tmp_path: Path) -> None:
    """A line without its end is left until it has one."""
    journal, backlog = Journal(tmp_path, writer="w"), Backlog(tmp_path)
    journal.append(generation(1))
    path = segments(tmp_path)[0].path
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole[:20])
    assert ids(drain(backlog)) == [1]
    with path.open("ab") as file:
        file.write(whole[20:])
    assert ids(drain(backlog)) == [1]
    assert backlog.corrupt == 0


def test_unfinished_line_of_a_dead_writer(tmp_path: Path) -> None:
    """It was never acknowledged: it is ignored, and the segment goes."""
    path = written(tmp_path, 1)
    with path.open("ab") as file:
        file.write(b'["w",2,{"id":')
    backlog = Backlog(tmp_path)
    assert ids(drain(backlog)) == [1]
    backlog.clean()
    assert (list(tmp_path.glob("*.jsonl*")), backlog.corrupt) == ([], 0)


@pytest.mark.parametrize(
    "bad",
    [b"\0" * 50, b"[]", b"", b'["w",2,{"id":"x"}]', b'"\xff"', b'["w",2', b"\r\r"],
    ids=["zeros", "empty list", "empty", "no record", "not UTF-8", "cut", "line ends"],
)
def test_corrupt_line_is_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: bytes
) -> None:
    """A line that is no record stops nothing; it is counted and reported once, its file kept."""
    path = written(tmp_path, 1, 2)
    first, second = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([first, bad, bad, second, b""]))
    backlog = Backlog(tmp_path)
    list(backlog.batches({}))
    assert ids(drain(backlog)) == [1, 2]
    backlog.clean()
    assert backlog.corrupt == 2
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR]
    assert [entry.name for entry in tmp_path.glob("*.jsonl*")] == [f"{path.name}.corrupt"]


def test_corrupt_line_before_the_position(tmp_path: Path) -> None:
    """Its file is kept after a restart as well, when the store has everything else."""
    path = written(tmp_path, *range(1, 1001))
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:500], b"\0" * 50, *lines[500:], b""]))
    backlog = Backlog(tmp_path)
    for batch in backlog.batches({"w": 1000}):
        assert batch.parcels == ()
        backlog.applied(batch)
    backlog.clean()
    assert [entry.name for entry in tmp_path.glob("*.jsonl*")] == [f"{path.name}.corrupt"]


def test_lines_with_names(tmp_path: Path) -> None:
    """A journal that a version before left is applied like any other."""
    path = written(tmp_path, 1, 3)
    first, third = path.read_bytes().splitlines()
    second = msgspec.json.encode(("w", 2, named(generation(2))))
    path.write_bytes(b"\n".join([first, second, third, b""]))
    backlog = Backlog(tmp_path)
    assert [each.generation for each in drain(backlog)] == [generation(n) for n in (1, 2, 3)]
    assert backlog.corrupt == 0


def test_record_of_another_writer(tmp_path: Path) -> None:
    """A file under a wrong name cannot move another writer's position."""
    written(tmp_path, 1).rename(tmp_path / "v-000000000001.jsonl")
    backlog = Backlog(tmp_path)
    assert (drain(backlog), backlog.corrupt) == ([], 1)


def test_clean_keeps_what_is_needed(tmp_path: Path) -> None:
    """Only segments that are closed and applied are deleted, not the one still written to."""
    journal, backlog = Journal(tmp_path, writer="w", segment_size=1), Backlog(tmp_path)
    for number in range(3):
        journal.append(generation(number))
    backlog.clean()
    assert len(segments(tmp_path)) == 3
    drain(backlog)
    backlog.clean()
    assert [segment.first for segment in segments(tmp_path)] == [3]
    journal.append(generation(3))
    assert ids(drain(backlog)) == [3]


def test_writers_with_something_to_do(tmp_path: Path) -> None:
    """All are asked for while something of one is not applied, or its closed file is there; a store
    that lost what one has may have lost what the others have."""
    journal, backlog = Journal(tmp_path, writer="w"), Backlog(tmp_path)
    Journal(tmp_path, writer="idle")
    assert backlog.writers() == frozenset()
    journal.append(generation(1))
    assert backlog.writers() == {"w", "idle"}
    drain(backlog)
    assert backlog.writers() == frozenset()
    journal.close()
    assert backlog.writers() == {"w", "idle"}


def test_waiting_counts_bytes(tmp_path: Path) -> None:
    """What waits is measured from the first record that the store lacks."""
    path = written(tmp_path, 1, 2, 3)
    backlog = Backlog(tmp_path)
    size = path.stat().st_size
    assert backlog.waiting({}).size == size
    assert backlog.waiting({"w": 2}).size == len(path.read_bytes().splitlines()[2]) + 1
    assert backlog.waiting({"w": 2}).settled_at == (generation(3).settled_at,)
    assert backlog.waiting({"w": 3}) == (0, ())


def test_what_the_store_has_is_read_once(tmp_path: Path) -> None:
    """Asked again and again what waits, it does not go through the applied lines each time."""
    path = written(tmp_path, 1, 2, 3)
    backlog = Backlog(tmp_path)
    waiting = backlog.waiting({"w": 2})
    assert waiting.settled_at == (generation(3).settled_at,)
    whole = path.read_bytes()
    path.write_bytes(b"x" * 10 + whole[10:])
    assert backlog.waiting({"w": 2}) == waiting
    assert backlog.corrupt == 0


def test_what_others_deleted_is_forgotten(tmp_path: Path) -> None:
    """Of segments that another process, or this one, has deleted or set aside nothing is kept."""
    with uncollected():
        for bad in (b"", b"\0\n"):
            path = written(tmp_path, 1, 2)
            path.write_bytes(bad + path.read_bytes())
            backlog, other = Backlog(tmp_path), Backlog(tmp_path)
            for each in (backlog, other):
                each.waiting({"w": 2})
            other.clean()
            assert count_of(Segment) > 0
            for each in (backlog, other):
                assert each.writers() == frozenset()
            assert count_of(Segment) == 0
