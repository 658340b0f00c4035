"""A generation is found in the journals by any process, newest first, within its time."""

from pathlib import Path

import pytest

from gateway.generation import Generation
from gateway.ledger.journal import Journal
from gateway.ledger.lookup import SearchTooLong, find_generation
from gateway.ledger.segment import segments
from tests.parts.generations import generation


def find(
    folder: Path, wanted: str, tenants: frozenset[str] | None = None, within: float = 10
) -> Generation | None:
    """As the ledger asks, with time enough."""
    return find_generation(folder, wanted, tenants, within)


def journaled(folder: Path, *settled: Generation, segment_size: int = 10**6) -> Journal:
    """A journal with those generations in it, still held by its writer."""
    journal = Journal(folder, segment_size=segment_size)
    for each in settled:
        journal.append(each)
    return journal


def test_every_line_of_every_segment(tmp_path: Path) -> None:
    """First, last and in between; in live segments and in those of dead writers."""
    settled = [generation(number) for number in range(40)]
    journaled(tmp_path, *settled[:20], segment_size=500)
    journaled(tmp_path, *settled[20:], segment_size=500).close()
    assert len(segments(tmp_path)) > 10
    assert [find(tmp_path, each.id) for each in settled] == settled
    assert find(tmp_path, "gen-none") is None


@pytest.mark.parametrize("block", [1, 7, 64, 333])
def test_lines_longer_than_a_block(tmp_path: Path, block: int) -> None:
    """Wherever the edges of what is read at a time fall, no line is missed."""
    settled = [generation(n, error="x" * (n * 37 % 400), user=f"user_{n}") for n in range(1, 30)]
    journaled(tmp_path, *settled)
    for each in settled:
        assert find_generation(tmp_path, each.id, None, within=10, block=block) == each


def test_the_newest_of_an_upstream_id(tmp_path: Path) -> None:
    """The provider's own id serves as well; where it gave one twice, the later call is told."""
    first, second = (generation(n, upstream_id="chatcmpl-1") for n in (1, 2))
    journaled(tmp_path, first, generation(3), second)
    assert find(tmp_path, "chatcmpl-1") == second


def test_only_of_the_tenants(tmp_path: Path) -> None:
    """Another tenant's record is not there, even if it has the same id upstream."""
    theirs = generation(1, tenant="theirs", upstream_id="same")
    ours = generation(2, tenant="ours", upstream_id="same")
    journaled(tmp_path, ours, theirs)
    assert find(tmp_path, "same", frozenset(("ours",))) == ours
    assert find(tmp_path, theirs.id, frozenset(("ours",))) is None


@pytest.mark.parametrize("wanted", ["", "gen", '"', "\\", "é", "x" * 5000, "\n", "\0", "small"])
def test_any_text_may_be_asked_for(tmp_path: Path, wanted: str) -> None:
    """What is no id, but stands in the line elsewhere, finds nothing; what is one does."""
    journaled(tmp_path, generation(1, user=wanted, error=wanted))
    assert find(tmp_path, wanted) is None
    odd = generation(2, upstream_id=wanted)
    journaled(tmp_path, odd)
    assert find(tmp_path, wanted) == odd


def test_line_that_is_not_written_yet(tmp_path: Path) -> None:
    """Half a line, or one that is no record, hides nothing behind it and is not told."""
    journaled(tmp_path, generation(1), generation(2)).close()
    [segment] = segments(tmp_path)
    first, second = segment.path.read_bytes().splitlines()
    segment.path.write_bytes(b"\n".join([first, b'"gen-20000-000001"', second[:-4]]))
    assert find(tmp_path, "gen-20000-000001") == generation(1)
    assert find(tmp_path, "gen-20000-000002") is None


def test_no_journal(tmp_path: Path) -> None:
    """Where nothing was recorded there is nothing."""
    assert find(tmp_path / "none", "gen-1") is None


def test_time_is_up(tmp_path: Path) -> None:
    """A search that takes too long says so, which is not the same as that there is none."""
    journaled(tmp_path, generation(1))
    with pytest.raises(SearchTooLong, match="not found within 0 s"):
        find(tmp_path, "gen-none", within=0)
