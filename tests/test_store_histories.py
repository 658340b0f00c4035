"""Whatever happens in whatever order, a store counts each generation once."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.generation import Generation, Record
from gateway.ledger.parcel import Parcel
from gateway.ledger.queries import ActivityQuery, Dimension, GenerationQuery, UserQuery
from gateway.ledger.store import Store
from tests.parts import counting
from tests.parts.generations import DAY, MICROSECONDS, generation, record, records, refusal
from tests.parts.stores import STORES, OpenStore

EVER = 99_999
BY_ALL: frozenset[Dimension] = frozenset({"user", "tenant", "route"})


class Append(msgspec.Struct, frozen=True):
    """A writer settles a generation; a `number` that was there before is a duplicate id."""

    writer: str
    number: int


class Apply(msgspec.Struct, frozen=True):
    """A shipper brings some of a writer's records, from `back` before the store's position."""

    writer: str
    back: int
    count: int


class Restart(msgspec.Struct, frozen=True):
    """The store's process ends and another one starts."""


class Expire(msgspec.Struct, frozen=True):
    """All days before this one are past their retention."""

    day: int


Step = Append | Apply | Expire | Restart

WRITERS = st.sampled_from(["v", "w", "x"])


STEPS = st.lists(
    st.one_of(
        st.builds(Append, WRITERS, st.integers(0, 15)),
        st.builds(Append, WRITERS, st.integers(0, 15)),
        st.builds(Apply, WRITERS, st.integers(0, 3), st.integers(0, 4)),
        st.builds(Expire, st.integers(DAY, DAY + 2)),
        st.just(Restart()),
    ),
    max_size=40,
)


def numbered(number: int) -> Generation:
    """The generation of a number: users, models, days and endings all mixed."""
    day, user = DAY + number % 3, f"user_{number % 4}" if number % 4 else None
    if number % 5 == 0:
        return refusal(number, day=day, tenant="app")
    tenant = ("app", "other")[number % 2]
    moved_from = "c" if number % 3 == 0 else None
    return generation(
        number,
        day=day,
        user=user,
        tenant=tenant,
        provider="ab"[number % 2],
        route=("home", "spill")[number // 2 % 2],
        moved_from=moved_from,
        move_cost=number if moved_from else 0,
    )


class History:
    """Journals and a store on one side, plain dicts that say what must be counted on the other."""

    def __init__(self, open_store: OpenStore, folder: Path) -> None:
        self._open_store = open_store
        self._folder = folder
        self._journals: dict[str, list[Parcel]] = {"v": [], "w": [], "x": []}
        self._positions: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        self._kept_from = 0
        self._counted: dict[str, Generation] = {}

    async def live(self, steps: Sequence[Step]) -> None:
        """Take the steps, each life of the store from one restart to the next; then compare."""
        rest = list(steps)
        while rest:
            async with self._open_store(self._folder) as store:
                while rest and not isinstance(step := rest.pop(0), Restart):
                    await self._take(step, store)
                await self._compare(store)

    async def _take(self, step: Append | Apply | Expire, store: Store) -> None:
        if isinstance(step, Append):
            journal = self._journals[step.writer]
            first = len(journal) + 1
            journal += records(numbered(step.number), writer=step.writer, first=first)
        elif isinstance(step, Apply):
            start = max(0, self._positions.get(step.writer, 0) - step.back)
            batch = self._journals[step.writer][start : start + step.count]
            await store.apply(batch)
            for parcel in batch:
                self._count(record(parcel))
        else:
            await store.expire(step.day * MICROSECONDS, step.day)
            self._forget(step.day)

    def _count(self, known: Record) -> None:
        writer, one = known.writer, known.generation
        if known.sequence > self._positions.get(writer, 0):
            self._positions[writer] = known.sequence
            self._newest[writer] = max(one.day, self._newest.get(writer, 0))
            if one.day >= self._kept_from:
                self._counted.setdefault(one.id, one)

    def _forget(self, before: int) -> None:
        self._kept_from = max(before, self._kept_from)
        self._counted = {
            name: one for name, one in self._counted.items() if one.day >= self._kept_from
        }
        for writer, day in list(self._newest.items()):
            if day < self._kept_from:
                del self._positions[writer], self._newest[writer]

    async def _compare(self, store: Store) -> None:
        counted = list(self._counted.values())
        recount = await store.recount()
        assert recount.by_user == recount.by_provider == counting.by_day(counted)
        assert recount.by_generation == recount.by_user
        assert await store.positions(list(self._journals)) == self._positions
        rows = await store.activity(ActivityQuery(since=0, until=EVER, by=BY_ALL))
        assert list(rows) == counting.activity(counted, BY_ALL)
        assert list(await store.users(UserQuery(since=0, until=EVER))) == counting.users(counted)
        assert await store.hours(0, EVER * 24, None) == counting.hours(counted)
        assert await store.active_users(0, EVER, None) == counting.active_users(counted)
        newest = sorted(counted, key=lambda one: (one.created_at, one.id), reverse=True)
        assert list(await store.generations(GenerationQuery(limit=999))) == newest


@pytest.mark.heavy
@pytest.mark.parametrize("kind", STORES)
@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_any_history_counts_once(kind: str, steps: list[Step]) -> None:
    """However writers, partial batches, retries, restarts and retention interleave, the counts are
    exact."""
    with TemporaryDirectory() as folder:
        asyncio.run(History(STORES[kind], Path(folder)).live(steps))
