"""What spill is for: one user's batch job on top of everybody's talk."""

import msgspec

from bench.warmth.backend import Hardware
from bench.warmth.outcome import Summary
from bench.warmth.simulation import Simulation
from bench.warmth.strategies import ROUND_ROBIN, STICKY, Strategy
from bench.warmth.study import PROVIDERS, Plan, Progress, summary_of
from bench.warmth.workload import make_calls, with_batch
from gateway.config import Sticky

CROWDED = (
    STICKY,
    *(
        Strategy(
            name=f"sticky, load_factor {factor:g}",
            does="the same ring with a tighter bound",
            sticky=Sticky(load_factor=factor),
            chooser=STICKY.chooser,
        )
        for factor in (1.5, 1.25)
    ),
    ROUND_ROBIN,
)


class BatchRow(msgspec.Struct, frozen=True):
    """A strategy while a batch runs, and until it is done: the batch's calls, and all others'."""

    name: str
    batch: Summary
    others: Summary


def crowd(plan: Plan, step: Progress) -> list[BatchRow]:
    """Sticky with several bounds, and round robin, while one user runs a batch job."""
    batch = plan.batch
    calls = with_batch(make_calls(plan.varied), batch)
    rows: list[BatchRow] = []
    for strategy in CROWDED:
        step(f"with a batch: {strategy.name}")
        served = Simulation(strategy, PROVIDERS, Hardware()).run(calls)
        window = [s for s in served if 0 <= s.at - batch.begins < 2 * batch.seconds]
        job = [each for each in window if each.user == batch.user]
        others = [each for each in window if each.user != batch.user]
        rows.append(BatchRow(strategy.name, summary_of(job, 0), summary_of(others, 0)))
    return rows
