"""What the difference depends on: one thing of the workload or the providers changed at a time."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from bench.warmth.backend import Hardware
from bench.warmth.outcome import Summary
from bench.warmth.simulation import Simulation
from bench.warmth.strategies import ROUND_ROBIN, STICKY, Strategy
from bench.warmth.study import PROVIDERS, Plan, Progress, summary_of
from bench.warmth.workload import Call, Shape, make_calls


class Variation(msgspec.Struct, frozen=True):
    """The workload with `what` made `value`; nothing else differs from the varied one."""

    what: str
    value: str
    sticky: Summary
    round_robin: Summary

    @property
    def ratio(self) -> float:
        """How many times the cached share of round robin sticky routing has."""
        return self.sticky.cached_share / self.round_robin.cached_share


class Variant(msgspec.Struct, frozen=True):
    """A workload or hardware with one thing changed."""

    what: str
    value: str
    shape: Shape
    hardware: Hardware = Hardware()
    providers: int = PROVIDERS


def variants(shape: Shape) -> Iterator[Variant]:
    """All of them, grouped by what is changed; each group holds the value of the others."""
    for tokens in (0.4, 0.8, 1.6, 3.2, 1000.0):
        text = f"{tokens:g} million tokens" if tokens < 1000 else "without bound"
        yield Variant("cache of a provider", text, shape, Hardware(cache=int(tokens * 1e6)))
    for lifetime in (60.0, 300.0, 3600.0):
        kept = Hardware(lifetime=lifetime)
        yield Variant("cache forgets after", f"{lifetime / 60:g} min", shape, kept)
    endless = Hardware(cache=10**9, lifetime=86400)
    yield Variant("cache forgets after", "24 h, and without bound", shape, endless)
    for tokens in (0, 512, 1024, 2048, 8192):
        changed = replace(shape, shared=tokens)
        yield Variant("prompt shared by all users", f"{tokens:,} tokens", changed)
    for pause in (10.0, 45.0, 180.0):
        yield Variant("median pause", f"{pause:g} s", replace(shape, pause=pause))
    for rate in (5.0, 10.0, 20.0, 30.0):
        changed = replace(shape, calls_per_second=rate)
        yield Variant("load", f"{rate:g} calls/s", changed)
    for count in (2, 3, 5, 10):
        changed = replace(shape, calls_per_second=shape.calls_per_second * count / PROVIDERS)
        yield Variant("providers, load in proportion", str(count), changed, providers=count)


def vary(plan: Plan, step: Progress) -> list[Variation]:
    """Sticky and round robin in every variant."""
    found: list[Variation] = []
    for variant in variants(plan.varied):
        step(f"{variant.what}: {variant.value}")
        calls = make_calls(variant.shape)
        summaries = [_run(each, variant, calls, plan.warm_up) for each in (STICKY, ROUND_ROBIN)]
        found.append(Variation(variant.what, variant.value, *summaries))
    return found


def _run(strategy: Strategy, variant: Variant, calls: Sequence[Call], warm_up: float) -> Summary:
    simulation = Simulation(strategy, variant.providers, variant.hardware)
    return summary_of(simulation.run(calls), warm_up)
