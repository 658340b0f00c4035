"""The lines of one end user are found and made nobody's, and everything else stays as it is."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.generation import Attempt, Flag, Generation, Record, Usage
from gateway.ledger.backlog import Backlog
from gateway.ledger.counts import Counts
from gateway.ledger.journal import Journal
from gateway.ledger.named import named
from gateway.ledger.person.traces import Person, find_traces, redact
from gateway.ledger.segment import segments
from tests.parts.generations import generation, record

ANNA = Person("anna", frozenset(("app",)))
SECRETS: dict[str, Any] = {
    "id": "gen-secret-1",
    "upstream_id": "chatcmpl-secret",
    "session_id": "secret-session",
    "user_source": "secret-field",
    "error": "secret prompt was refused",
    "peer": "secret-address",
    "user_agent": "secret-agent",
    "referer": "secret-referer",
    "title": "secret-title",
    "attempts": (Attempt("a", error="secret answer"),),
}


def read(folder: Path) -> list[Record]:
    """All records that a shipper would apply, in order."""
    return [record(parcel) for batch in Backlog(folder).batches({}) for parcel in batch.parcels]


def test_nothing_of_the_person_is_left(tmp_path: Path) -> None:
    """Not a byte of what the record knew of them; what its day counts is all there."""
    made = generation(1, user="anna", flags=(Flag("a", "b"),), moved_from="c", **SECRETS)
    with_journal = Journal(tmp_path)
    record = with_journal.append(made)
    assert redact(tmp_path, ANNA) == 1
    [left] = read(tmp_path)
    [text] = [segment.path.read_bytes() for segment in segments(tmp_path)]
    assert b"secret" not in text
    assert b"anna" not in text
    assert (left.writer, left.sequence) == (record.writer, record.sequence)
    assert Counts.of(left.generation) == Counts.of(made)
    assert (left.generation.day, left.generation.tenant) == (made.day, made.tenant)
    assert (left.generation.model, left.generation.provider) == (made.model, made.provider)
    assert len(left.generation.id) == len(made.id)


def test_others_stay_as_they_are(tmp_path: Path) -> None:
    """Another user, a namesake of another tenant, and who only mentions the id, keep all bytes."""
    others = (
        generation(1, user="annabel"),
        generation(2, user="anna", tenant="other"),
        generation(3, user=None, model="anna"),
        generation(4, user="ann", session_id="anna"),
    )
    journal = Journal(tmp_path)
    for each in others:
        journal.append(each)
    before = segments(tmp_path)[0].path.read_bytes()
    assert redact(tmp_path, ANNA) == 0
    assert segments(tmp_path)[0].path.read_bytes() == before


def test_of_every_tenant(tmp_path: Path) -> None:
    """A person without tenants is met in all of them."""
    journal = Journal(tmp_path)
    for number, tenant in enumerate(("one", "two", "one")):
        journal.append(generation(number, user="anna", tenant=tenant))
    everywhere = Person("anna", None)
    assert [each.tenant for each in find_traces(tmp_path, everywhere)] == ["one", "two", "one"]
    assert redact(tmp_path, everywhere) == 3
    assert list(find_traces(tmp_path, everywhere)) == []


def test_the_writer_goes_on(tmp_path: Path) -> None:
    """Redacting a live segment moves nothing: what is appended before, then and after counts."""
    journal, backlog = Journal(tmp_path), Backlog(tmp_path)
    sequences: list[int] = []
    for number in range(20):
        journal.append(generation(number, user="anna" if number % 3 else "boris"))
        redact(tmp_path, ANNA)
        for batch in backlog.batches({}):
            sequences += [parcel.sequence for parcel in batch.parcels]
            backlog.applied(batch)
    assert sequences == list(range(1, 21))
    assert backlog.corrupt == 0


def test_unfinished_line(tmp_path: Path) -> None:
    """A line whose end is not written yet is its writer's; later it is found like any other."""
    journal = Journal(tmp_path)
    journal.append(generation(1, user="anna"))
    path = segments(tmp_path)[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert redact(tmp_path, ANNA) == 0
    path.write_bytes(whole)
    assert redact(tmp_path, ANNA) == 1


def test_segments_that_were_set_aside(tmp_path: Path) -> None:
    """A segment with corrupt lines is kept, so its good lines are redacted, too, and the bad ones
    with the person's id in them blanked."""
    journal = Journal(tmp_path)
    journal.append(generation(1, user="anna"))
    journal.append(generation(2, user="boris"))
    journal.close()
    path = segments(tmp_path)[0].path
    good, other = path.read_bytes().splitlines()
    aside = path.rename(f"{path}.corrupt")
    aside.write_bytes(b"\n".join([good, b'["w",7,{"user":"anna",', b"junk", other, b""]))
    size = aside.stat().st_size
    assert redact(tmp_path, ANNA) == 2
    text = aside.read_bytes()
    assert (len(text), b"anna" in text) == (size, False)
    _, blank, *kept = text.splitlines()
    assert (blank.strip(), kept) == (b"", [b"junk", other])


def test_lines_with_names(tmp_path: Path) -> None:
    """What a version before wrote is made nobody's in its place, and all who come after count."""
    made = generation(1, user="anna", flags=(Flag("a", "b"),), moved_from="c", **SECRETS)
    bare = Generation("i", 1, "app", "e", 200, "ok", user="anna")
    lines = [msgspec.json.encode(("w", n, named(one))) for n, one in enumerate((made, bare), 1)]
    (tmp_path / "w-000000000001.jsonl").write_bytes(b"\n".join([*lines, b""]))
    assert list(find_traces(tmp_path, ANNA)) == [made, bare]
    assert redact(tmp_path, ANNA) == 2
    left = [record.generation for record in read(tmp_path)]
    assert [Counts.of(one) for one in left] == [Counts.of(made), Counts.of(bare)]
    assert {one.user for one in left} == {None}


def test_no_journal(tmp_path: Path) -> None:
    """Where nothing was recorded nothing is found, and no folder is made."""
    assert redact(tmp_path / "none", ANNA) == 0
    assert not (tmp_path / "none").exists()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NUMBERS = st.integers(0, 2**62)
GENERATIONS = st.builds(
    Generation,
    id=TEXTS,
    created_at=NUMBERS,
    tenant=st.sampled_from(("app", "other")),
    endpoint=TEXTS,
    status=st.integers(100, 599),
    outcome=st.sampled_from(("ok", "refused", "failed", "cancelled", "cut")),
    user=st.none() | st.sampled_from(("anna", '"anna"', "ann\\a", "änna")),
    model=st.none() | TEXTS,
    provider=st.none() | TEXTS,
    latency_ms=NUMBERS,
    usage=st.builds(Usage, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.booleans()),
    cost=NUMBERS,
    cache_discount=st.integers(-(2**62), 2**62),
    flags=st.lists(st.builds(Flag, TEXTS, TEXTS), max_size=2).map(tuple),
    error=st.none() | TEXTS,
    api_type=st.none() | TEXTS,
    user_source=st.none() | TEXTS,
    session_id=st.none() | TEXTS,
    upstream_id=st.none() | TEXTS,
    streamed=st.booleans(),
    first_byte_ms=st.none() | NUMBERS,
    user_agent=st.none() | st.just("") | TEXTS,
    title=st.none() | st.just("") | TEXTS,
)


@pytest.mark.heavy
@settings(max_examples=150)
@given(settled=st.lists(GENERATIONS, min_size=1, max_size=6), user=TEXTS | st.just("anna"))
def test_any_record(
    tmp_path_factory: pytest.TempPathFactory, settled: list[Generation], user: str
) -> None:
    """Whatever stands in a record, it keeps its place, its number and its counts, and only those
    of the person lose their user."""
    folder = tmp_path_factory.mktemp("journal")
    settled = [msgspec.structs.replace(settled[0], user=user), *settled]
    journal = Journal(folder)
    for each in settled:
        journal.append(each)
    person = Person(user, frozenset((settled[0].tenant,)))
    size = segments(folder)[0].path.stat().st_size
    assert redact(folder, person) == sum(map(person.owns, settled))
    assert segments(folder)[0].path.stat().st_size == size
    left = [record.generation for record in read(folder)]
    assert [Counts.of(each) for each in left] == [Counts.of(each) for each in settled]
    for before, after in zip(settled, left, strict=True):
        assert after.user is None if person.owns(before) else after == before
