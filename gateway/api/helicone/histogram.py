"""How many users have how much: Helicone's distributions, cut at a percentile."""

import math
from collections.abc import Sequence

import msgspec

_BARS = 10

PERCENTILES = {"p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


class HistogramRow(msgspec.Struct, frozen=True):
    """`value` users have from `range_start` to before `range_end`; the last bar has its end too."""

    range_start: str
    range_end: str
    value: int


def histogram(values: Sequence[float], upper: float, lower: float | None) -> list[HistogramRow]:
    """Ten bars of one width over the values up to the quantile `upper`, and from `lower` on."""
    in_order = sorted(values)
    if not in_order:
        return []
    least = in_order[0] if lower is None else _quantile(in_order, lower)
    most = _quantile(in_order, upper)
    kept = [value for value in in_order if least <= value <= most]
    return _bars(kept) if kept else []


def _quantile(in_order: Sequence[float], share: float) -> float:
    """Between the two values nearest to it, in proportion."""
    place = share * (len(in_order) - 1)
    below, above = in_order[math.floor(place)], in_order[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def _bars(kept: Sequence[float]) -> list[HistogramRow]:
    start, width = kept[0], (kept[-1] - kept[0]) / _BARS
    if width == 0:
        return [HistogramRow(_text(start), _text(start), len(kept))]
    bars = [0] * _BARS
    for value in kept:
        bars[min(int((value - start) / width), _BARS - 1)] += 1
    edges = [start + width * number for number in range(_BARS)] + [kept[-1]]
    return [
        HistogramRow(_text(edges[number]), _text(edges[number + 1]), users)
        for number, users in enumerate(bars)
    ]


def _text(value: float) -> str:
    return f"{value:.9g}"
