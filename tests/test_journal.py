"""The journal: one line a record, one file after the other, nothing half written."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from gateway.generation import Record
from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.segment import Segment, segments
from tests.parts.generations import generation
from tests.parts.rlimits import file_size_limit, no_more_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the journal goes; not made yet."""
    return tmp_path / "deep" / "journal"


def lines(folder: Path) -> list[Record]:
    """Every record in the folder, segment after segment."""
    texts = [line for each in segments(folder) for line in each.path.read_bytes().splitlines()]
    return [msgspec.json.decode(text, type=Record) for text in texts]


def test_append_writes_one_line(folder: Path) -> None:
    """A record is in the file, as one JSON line, when `append` returns."""
    journal = Journal(folder, writer="w")
    record = journal.append(generation(1))
    assert (folder / "w-000000000001.jsonl").read_bytes() == msgspec.json.encode(record) + b"\n"


def test_append_all(folder: Path) -> None:
    """Records in one go are the same lines as one by one, and the next goes on after them."""
    journal = Journal(folder, writer="w")
    journal.append(generation(1))
    journal.append_all([generation(2), generation(3)])
    journal.append(generation(4))
    assert lines(folder) == [Record("w", number, generation(number)) for number in range(1, 5)]


def test_append_all_or_nothing(folder: Path) -> None:
    """Where not all of them fit, nothing of them is there, and no sequence number is used."""
    journal = Journal(folder, writer="w")
    journal.append(generation(1))
    size = (folder / "w-000000000001.jsonl").stat().st_size
    with file_size_limit(2 * size + 10), pytest.raises(JournalError):
        journal.append_all([generation(2), generation(3)])
    journal.append_all([generation(4)])
    assert lines(folder) == [Record("w", 1, generation(1)), Record("w", 2, generation(4))]


def test_sequences_have_no_gaps(folder: Path) -> None:
    """Sequence numbers count from 1 in the order of the calls."""
    journal = Journal(folder, writer="w")
    appended = [journal.append(generation(number)) for number in range(5)]
    assert [record.sequence for record in appended] == [1, 2, 3, 4, 5]
    assert lines(folder) == appended


def test_every_run_has_its_own_writer(folder: Path) -> None:
    """Two runs never share a file, however they are started."""
    one, two = Journal(folder), Journal(folder)
    one.append(generation(1))
    two.append(generation(2))
    assert one.writer != two.writer
    assert len(segments(folder)) == 2


def test_full_segment_is_followed_by_another(folder: Path) -> None:
    """A segment ends before it outgrows its size; the next is named after its first record."""
    line = len(msgspec.json.encode(Record("w", 1, generation(1)))) + 1
    journal = Journal(folder, writer="w", segment_size=2 * line)
    appended = [journal.append(generation(number)) for number in range(5)]
    assert [segment.first for segment in segments(folder)] == [1, 3, 5]
    assert lines(folder) == appended


def test_segment_that_cannot_be_followed(folder: Path) -> None:
    """Where no file can be opened, a full segment takes more; it is followed as soon as one can."""
    journal = Journal(folder, writer="w", segment_size=10)
    appended = [journal.append(generation(1))]
    with no_more_files():
        appended += [journal.append(generation(2)), journal.append(generation(3))]
    appended.append(journal.append(generation(4)))
    assert lines(folder) == appended
    assert [segment.first for segment in segments(folder)] == [1, 4]


def test_record_larger_than_a_segment(folder: Path) -> None:
    """A record that fits no segment gets one of its own, not an endless search."""
    journal = Journal(folder, writer="w", segment_size=10)
    appended = [journal.append(generation(number)) for number in range(3)]
    assert [segment.first for segment in segments(folder)] == [1, 2, 3]
    assert lines(folder) == appended


def test_only_the_owner_may_read(folder: Path) -> None:
    """Records hold user ids: the folder and its files are closed to everyone else."""
    Journal(folder, writer="w").append(generation(1))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "w-000000000001.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("room", [0, 1, 50])
def test_short_write_is_taken_back(folder: Path, room: int) -> None:
    """When a disk fills up mid-line, the file ends at a line end and no number is used up."""
    journal = Journal(folder, writer="w")
    first = journal.append(generation(1))
    size = segments(folder)[0].path.stat().st_size
    with file_size_limit(size + room), pytest.raises(JournalError, match=str(folder)):
        journal.append(generation(2))
    assert segments(folder)[0].path.stat().st_size == size
    second = journal.append(generation(3))
    assert second.sequence == 2
    assert lines(folder) == [first, second]


def test_text_that_is_not_unicode(folder: Path) -> None:
    """A text that has no UTF-8 form is refused like a full disk, and the next record goes on."""
    journal = Journal(folder, writer="w")
    with pytest.raises(JournalError, match="surrogates"):
        journal.append(generation(1, error="\ud800"))
    assert journal.append(generation(2)).sequence == 1


def test_folder_that_cannot_be(tmp_path: Path) -> None:
    """A folder that cannot be made is an error at the start, not at the first request."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="Not a directory"):
        Journal(tmp_path / "file" / "journal")


def test_closed_journal_takes_nothing(folder: Path) -> None:
    """After `close` a record is refused; closing again is allowed."""
    journal = Journal(folder)
    journal.close()
    journal.close()
    with pytest.raises(JournalError):
        journal.append(generation(1))


def delete_file(folder: Path) -> None:
    """The one that is written to."""
    segments(folder)[0].path.unlink()


def move(folder: Path) -> None:
    """With all that is in it."""
    folder.rename(folder.with_name("elsewhere"))


def replace_by_copy(folder: Path) -> None:
    """As who puts back a backup."""
    shutil.copytree(folder, folder.with_name("backup"))
    shutil.rmtree(folder)
    folder.with_name("backup").rename(folder)


@pytest.mark.parametrize("harm", [shutil.rmtree, delete_file, move, replace_by_copy])
def test_segment_that_is_gone(folder: Path, harm: Callable[[Path], None]) -> None:
    """All that was ever in it is put back under its name, is still held, and more follows."""
    journal = Journal(folder, writer="w")
    appended = [journal.append(generation(1))]
    assert not journal.put_back()
    harm(folder)
    appended.append(journal.append(generation(2)))
    assert journal.put_back()
    assert not journal.put_back()
    appended.append(journal.append(generation(3)))
    assert lines(folder) == appended
    with segments(folder)[0].open_to_read() as file:
        assert not file.closed
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("harm", [shutil.rmtree, delete_file, move, replace_by_copy])
def test_full_segment_that_is_gone(folder: Path, harm: Callable[[Path], None]) -> None:
    """It is put back before another one follows it: what was written since is not lost."""
    line = len(msgspec.json.encode(Record("w", 1, generation(1)))) + 1
    journal = Journal(folder, writer="w", segment_size=2 * line)
    appended = [journal.append(generation(1))]
    harm(folder)
    appended += [journal.append(generation(number)) for number in (2, 3)]
    assert lines(folder) == appended


def test_segment_that_cannot_be_put_back(folder: Path) -> None:
    """What is recorded meanwhile is not lost: all of it is there once it can be."""
    journal = Journal(folder, writer="w")
    appended = [journal.append(generation(1))]
    shutil.rmtree(folder)
    appended.append(journal.append(generation(2)))
    with file_size_limit(30), pytest.raises(JournalError, match="too large"):
        journal.put_back()
    shutil.rmtree(folder)
    folder.write_text("in the way")
    with pytest.raises(JournalError, match="Not a directory"):
        journal.put_back()
    folder.unlink()
    appended.append(journal.append(generation(3)))
    assert journal.put_back()
    assert lines(folder) == appended


def test_segment_shows_whether_its_writer_lives(folder: Path) -> None:
    """A segment counts as closed once its writer let go of it, and not before."""
    journal = Journal(folder, writer="w")
    (segment,) = segments(folder)
    with segment.open_to_read() as file:
        assert not file.closed
    journal.close()
    with segment.open_to_read() as file:
        assert file.closed


def test_deleted_segment_reads_as_empty(folder: Path) -> None:
    """A segment another shipper deleted has nothing to apply, and is not deleted again."""
    with Segment("w", 1, folder).open_to_read() as file:
        assert (file.closed, file.size) == (False, 0)


def test_segment_that_is_put_back_while_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opened the file before does not take the one there is now for closed, and delete it."""
    journal = Journal(folder, writer="w")
    journal.append(generation(1))
    lock = fcntl.flock

    def late(fd: int, kind: int) -> None:
        if kind & fcntl.LOCK_SH:
            delete_file(folder)
            journal.put_back()
        lock(fd, kind)

    monkeypatch.setattr(fcntl, "flock", late)
    with segments(folder)[0].open_to_read() as file:
        assert not file.closed


def test_new_segment_deleted_before_it_was_held(folder: Path) -> None:
    """A shipper may delete the empty file in that moment; the writer then makes another one."""
    folder.mkdir(parents=True)
    segment = Segment("w", 1, folder)
    segment.path.touch()
    with ThreadPoolExecutor() as threads, segment.open_to_read():
        opening = threads.submit(segment.open_to_append)
        wait_until_open(segment.path, times=2)
        segment.path.unlink()
    assert os.fstat(opening.result()).st_ino == segment.path.stat().st_ino
    os.close(opening.result())


def wait_until_open(path: Path, times: int) -> None:
    """Wait until this process has the file open that often (proc(5), fd)."""
    deadline = time.monotonic() + 10
    while [each.resolve() for each in Path("/proc/self/fd").iterdir()].count(path) < times:
        assert time.monotonic() < deadline


def test_other_files_are_no_segments(folder: Path) -> None:
    """Locks, copies and what was set aside are left alone."""
    Journal(folder, writer="w")
    for name in ("ship.lock", "w-1.jsonl", "w-000000000001.jsonl.corrupt", "notes.jsonl"):
        (folder / name).write_text("")
    assert segments(folder) == [Segment("w", 1, folder)]


def test_missing_folder_has_no_segments(folder: Path) -> None:
    """A folder nobody wrote to yet is empty, not an error."""
    assert segments(folder) == []
