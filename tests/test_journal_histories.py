"""Any history of appends, rotations, crashes, redactions and shipping counts every record once."""

import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gateway.generation import Generation, Record
from gateway.ledger.backlog import Backlog, Batch
from gateway.ledger.counts import Counts
from gateway.ledger.journal import Journal
from gateway.ledger.lookup import find_generation
from gateway.ledger.person.traces import Person, find_traces, redact
from gateway.ledger.segment import segments
from tests.parts.generations import generation, record

USERS = st.sampled_from(("anna", "boris", None))


class Applied:
    """A store, as a dict: it insists on the next sequence of each writer."""

    def __init__(self) -> None:
        self.positions: dict[str, int] = {}
        self.generations: list[Generation] = []

    def apply(self, batch: Batch) -> None:
        for parcel in batch.parcels:
            last = self.positions.get(parcel.writer, 0)
            if parcel.sequence > last:
                assert parcel.sequence == last + 1, "a record was lost"
                self.positions[parcel.writer] = parcel.sequence
                self.generations.append(record(parcel).generation)


class Histories(RuleBasedStateMachine):
    """Writers come, append and die; one shipper at a time ships, forgets where it was, goes on."""

    writers = Bundle[Journal]("writers")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="histories-"))
        self.told: dict[str, Generation] = {}
        self.store = Applied()
        self.backlog = Backlog(self.folder)
        self.open: list[Journal] = []

    @rule(target=writers)
    def start_writer(self) -> Journal:
        journal = Journal(self.folder, segment_size=900)
        self.open.append(journal)
        return journal

    @rule(journal=writers, user=USERS, long=st.booleans())
    def append(self, journal: Journal, user: str | None, long: bool) -> None:
        settled = generation(len(self.told), user=user, error="x" * 1000 if long else None)
        journal.append(settled)
        self.told[settled.id] = settled

    @rule(journal=consumes(writers), cut=st.floats(0, 1, exclude_max=True))
    def crash(self, journal: Journal, cut: float) -> None:
        """It dies at any byte of a line whose answer nobody received."""
        line = msgspec.json.encode(Record(journal.writer, 10**6, generation(user="anna"))) + b"\n"
        [*_, newest] = [each for each in segments(self.folder) if each.writer == journal.writer]
        with newest.path.open("ab") as file:
            file.write(line[: int(cut * len(line))])
        self._end(journal)

    @rule(batches=st.integers(0, 3), reply_lost=st.booleans())
    def ship(self, batches: int, reply_lost: bool) -> None:
        """A pass that ends early; the last batch may be applied without the shipper knowing."""
        for _, batch in zip(
            range(batches), self.backlog.batches(dict(self.store.positions)), strict=False
        ):
            self.store.apply(batch)
            if not reply_lost:
                self.backlog.applied(batch)
        self.backlog.clean()

    @rule()
    def restart_shipper(self) -> None:
        self.backlog = Backlog(self.folder)

    @rule(user=st.sampled_from(("anna", "boris")))
    def erase(self, user: str) -> None:
        person = Person(user, None)
        redact(self.folder, person)
        assert list(find_traces(self.folder, person)) == []

    @invariant()
    def nothing_twice(self) -> None:
        assert len(self.store.generations) <= len(self.told)

    @invariant()
    def what_is_not_applied_is_found(self) -> None:
        applied = {each.id for each in self.store.generations}
        for settled in self.told.values():
            if settled.id not in applied and settled.user is None:
                assert find_generation(self.folder, settled.id, None, 10) == settled

    def teardown(self) -> None:
        """Once all writers are gone, all they told is counted, and the journal is empty."""
        for journal in list(self.open):
            self._end(journal)
        for backlog in (self.backlog, Backlog(self.folder)):
            for batch in backlog.batches(dict(self.store.positions)):
                self.store.apply(batch)
                backlog.applied(batch)
            backlog.clean()
        assert total(self.store.generations) == total(list(self.told.values()))
        assert segments(self.folder) == []
        assert backlog.corrupt == self.backlog.corrupt == 0
        shutil.rmtree(self.folder)

    def _end(self, journal: Journal) -> None:
        journal.close()
        self.open.remove(journal)


def total(generations: list[Generation]) -> list[Counts]:
    """What is counted, whoever it was and in whatever order."""
    return sorted(map(Counts.of, generations), key=repr)


@pytest.mark.heavy
def test_any_history() -> None:
    """Whatever happens in whatever order, nothing is lost and nothing counts twice."""
    thorough = settings(max_examples=100, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Histories, settings=thorough)
