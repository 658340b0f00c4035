"""The count of lost records outlives its process and needs no room on the disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.ledger.journal import Journal, JournalError
from gateway.ledger.losses import add_loss, prepare_losses, read_losses
from tests.parts.generations import generation


def test_none_yet(tmp_path: Path) -> None:
    """Without a journal, and with a new one, nothing is lost."""
    assert read_losses(tmp_path / "none") == 0
    Journal(tmp_path)
    assert read_losses(tmp_path) == 0


def test_counted_together(tmp_path: Path) -> None:
    """All writers of a folder count in one place, at once and one after the other."""
    prepare_losses(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: add_loss(tmp_path), range(200)))
    prepare_losses(tmp_path)
    assert read_losses(tmp_path) == 200


def test_the_file_never_grows(tmp_path: Path) -> None:
    """Its size is the same before the first loss and after the hundredth."""
    prepare_losses(tmp_path)
    size = (tmp_path / "lost").stat().st_size
    for _ in range(100):
        add_loss(tmp_path)
    assert (tmp_path / "lost").stat().st_size == size


def test_refused_records_are_counted(tmp_path: Path) -> None:
    """A record that the journal refuses is lost, and counted for `hearth ledger status`."""
    journal = Journal(tmp_path)
    journal.append(generation(1))
    for _ in range(2):
        with pytest.raises(JournalError):
            journal.append(generation(2, error="\ud800"))
    assert read_losses(tmp_path) == 2


@pytest.mark.parametrize("left", [b"", bytes(20), b"none", b"7 or so"])
def test_what_is_no_number(tmp_path: Path, left: bytes) -> None:
    """A file that a power cut left without its number counts from zero, and fails nobody."""
    prepare_losses(tmp_path)
    (tmp_path / "lost").write_bytes(left)
    assert read_losses(tmp_path) == 0
    add_loss(tmp_path)
    assert read_losses(tmp_path) == 1


def test_where_it_cannot_be_counted(tmp_path: Path) -> None:
    """A folder that is gone fails nobody, who has trouble enough."""
    add_loss(tmp_path / "gone")
    assert read_losses(tmp_path / "gone") == 0
