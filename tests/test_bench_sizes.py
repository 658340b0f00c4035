"""The ledger that sizes are measured on, and what it is asked."""

from collections import Counter
from pathlib import Path

from bench.sizes.people import DAYS, FIRST_DAY, RARE, month
from bench.sizes.questions import questions
from bench.sizes.weight import bytes_of
from gateway.ledger.parcel import parcels
from gateway.ledger.sqlite import SqliteStore


def test_month_of_calls() -> None:
    """Everyone calls, few call often, ids differ, and the days are those of one month."""
    settled = [record.generation for record in month(300, 3000)]
    calls = Counter(each.user for each in settled)
    assert len(calls) == 300
    assert calls.most_common(1)[0][1] > 150
    assert len({each.id for each in settled}) == 3000
    assert {each.day for each in settled} == set(range(FIRST_DAY, FIRST_DAY + DAYS))


def test_pair_that_never_meets() -> None:
    """Both of the pair are common, and no call has the two together."""
    pairs = Counter((each.generation.model, each.generation.provider) for each in month(300, 3000))
    assert pairs[RARE] == 0
    assert sum(count for (model, _), count in pairs.items() if model == RARE[0]) > 300
    assert sum(count for (_, provider), count in pairs.items() if provider == RARE[1]) > 300


async def test_every_question_has_an_answer(tmp_path: Path) -> None:
    """All questions can be asked of a filled store, each under a name of its own."""
    path = tmp_path / "hearth.db"
    store = await SqliteStore.open(path)
    await store.apply(parcels(month(50, 400)))
    answers = {name: await ask(store) for name, ask in questions()}
    await store.close()
    assert len(answers) == len(list(questions()))
    assert answers["generations: newest"]
    assert answers["users: 30 days by cost"]
    assert answers["leaderboard by latency"]


async def test_weight_of_a_file(tmp_path: Path) -> None:
    """A SQLite ledger weighs what its file does once its log is in it."""
    path = tmp_path / "hearth.db"
    store = await SqliteStore.open(path)
    empty = await bytes_of(f"sqlite:{path}")
    await store.apply(parcels(month(50, 400)))
    assert await bytes_of(f"sqlite:{path}") == path.stat().st_size > empty + 400 * 500
    await store.close()
