"""The fault bench finds what is missing and what is double, and ends what it started."""

from pathlib import Path

import pytest

from bench.faults import report
from bench.faults.report import Outcome
from bench.faults.scenarios import SCENARIOS, Scenario
from bench.faults.stand import Setting, running_stand
from bench.faults.truth import Answered, Balance, compare
from gateway.generation import Generation, Usage
from gateway.ledger.sqlite import SqliteStore
from tests.parts.generations import generation, records
from tests.parts.waiting import until

QUICK = Setting(gateways=1, workers=1, clients=4, rate=80, seconds=1.0, seed=7)


def answered(number: int) -> Answered:
    """What a client was answered for the call that `generation` makes of this number."""
    return Answered(generation(number).id, "user_1", 10, 5, latency=0.01)


async def balance(folder: Path, counted: list[Generation], tellings: list[Answered]) -> Balance:
    """The comparison with a store that counted those calls."""
    store = await SqliteStore.open(folder / "hearth.db")
    await store.apply(records(*counted))
    try:
        return await compare(tellings, store)
    finally:
        await store.close()


async def test_all_is_well(tmp_path: Path) -> None:
    """Calls that clients were answered, and one that broke off, are neither missing nor double."""
    counted = [generation(number) for number in (1, 2, 3)]
    found = await balance(tmp_path, counted, [answered(1), answered(2)])
    assert found == Balance(answered=2, missing=0, double=0)


async def test_missing(tmp_path: Path) -> None:
    """A call that is not there, another user's, or with other tokens, is missing."""
    counted = [
        generation(1, usage=Usage(11, 5)),
        generation(2, user="user_2"),
        generation(3),
    ]
    found = await balance(tmp_path, counted, [answered(1), answered(2), answered(3), answered(4)])
    assert (found.missing, found.double) == (3, 0)


async def test_double(tmp_path: Path) -> None:
    """A user whose counter says more than there are calls was counted twice."""
    store = await SqliteStore.open(tmp_path / "hearth.db")
    await store.apply(records(generation(1), generation(2)))
    await store.expire(generation(2).created_at, 0)
    assert await compare([answered(2)], store) == Balance(answered=1, missing=0, double=1)
    await store.close()


def test_table(tmp_path: Path) -> None:
    """The p99 is given against the first row."""
    good = Balance(answered=1000, missing=0, double=0)
    outcomes = [
        Outcome(name=name, balance=good, failed=0, refused=0, p99=p99)
        for name, p99 in (("calm", 0.010), ("storm", 0.025))
    ]
    file = tmp_path / "ledger.md"
    file.write_text("<!-- faults: begin -->\n<!-- faults: end -->\n")
    report.write(outcomes, QUICK, file)
    assert "| storm | 1,000 | 0 | 0 | 0 | 0 | 25.0 | +150% |" in file.read_text()


@pytest.mark.heavy
@pytest.mark.parametrize("scenario", [SCENARIOS[1], SCENARIOS[5]], ids=lambda each: each.name)
async def test_short_run(tmp_path: Path, scenario: Scenario) -> None:
    """A second in which Redis, or a gateway, is killed loses nothing, and calls go on after it."""
    async with running_stand(tmp_path, QUICK) as stand:
        await scenario.run(stand)
        before = len(stand.load.answered)
        await until(lambda: len(stand.load.answered) > before + 5)
        found = await stand.balance()
    assert (found.missing, found.double) == (0, 0)
