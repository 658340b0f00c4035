"""The comparison: every strategy with the same calls, through one outage and one recovery."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from bench.warmth.backend import Hardware
from bench.warmth.outcome import Served, Summary, cached_over_time, summarize
from bench.warmth.simulation import MODEL, Outage, Simulation, settings_of
from bench.warmth.strategies import STRATEGIES
from bench.warmth.workload import Batch, Call, Shape
from gateway.pricing.prices import Prices

PROVIDERS = 5
SPAN = 60.0
"""Seconds of a point in the plot over time."""

Progress = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is replayed, and the seconds at its start that warm the caches and do not count.

    `varied` is the workload of which one thing at a time is changed; it has no outage. `batch`
    comes on top of it.
    """

    shape: Shape
    outage: Outage
    varied: Shape
    batch: Batch
    warm_up: float


_BATCH = Batch(user=-1, begins=1200, seconds=60, calls_per_second=25, text=3000, answer=250)

FULL = Plan(
    shape=Shape(),
    outage=Outage("provider-b", 1800, 2100),
    varied=Shape(seconds=2400),
    batch=_BATCH,
    warm_up=600,
)
QUICK = Plan(
    shape=Shape(seconds=1200),
    outage=Outage("provider-b", 600, 720),
    varied=Shape(seconds=900),
    batch=replace(_BATCH, begins=600),
    warm_up=300,
)


class Row(msgspec.Struct, frozen=True):
    """A strategy; `over_time` is (seconds, cached share), from the start."""

    name: str
    does: str
    summary: Summary
    over_time: Sequence[tuple[float, float]]


def compare(calls: Sequence[Call], plan: Plan, step: Progress) -> list[Row]:
    """Every strategy with the same calls and the same outage."""
    rows: list[Row] = []
    for strategy in STRATEGIES:
        step(strategy.name)
        served = Simulation(strategy, PROVIDERS, Hardware(), plan.outage).run(calls)
        over_time = list(cached_over_time(served, SPAN))
        rows.append(Row(strategy.name, strategy.does, summary_of(served, plan.warm_up), over_time))
    return rows


def summary_of(served: Sequence[Served], warm_up: float) -> Summary:
    """Of the calls after the first `warm_up` seconds; ValueError when there is none."""
    counted = [each for each in served if each.at >= warm_up]
    return summarize(counted, Prices(settings_of(PROVIDERS)), MODEL)
