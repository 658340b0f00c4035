"""How many users have how much: Helicone's distributions, cut at a percentile."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

import msgspec

_BARS = 10

PERCENTILES = {"p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


class HistogramRow(msgspec.Struct, frozen=True):
    """`value` users have from `range_start` to before `range_end`; the last bar has its end."""

    range_start: str
    range_end: str
    value: int


def histogram(
    values: Sequence[int], upper: float, lower: float | None, unit: Callable[[float], float]
) -> list[HistogramRow]:
    """Ten bars of equal width over sorted values, from the quantile `lower` to `upper`; `unit`
    converts the edges."""
    if not values:
        return []
    first = 0 if lower is None else bisect_left(values, _quantile(values, lower))
    after = bisect_right(values, _quantile(values, upper))
    if first >= after:
        return []
    least, most = values[first], values[after - 1]
    if least == most:
        return [HistogramRow(_text(unit(least)), _text(unit(least)), after - first)]
    edges = [least + (most - least) * number / _BARS for number in range(_BARS)]
    places = [*(bisect_left(values, edge, first, after) for edge in edges), after]
    names = [_text(unit(edge)) for edge in (*edges, most)]
    return [
        HistogramRow(names[bar], names[bar + 1], places[bar + 1] - places[bar])
        for bar in range(_BARS)
    ]


def _quantile(in_order: Sequence[int], share: float) -> float:
    """By linear interpolation between the two nearest values."""
    place = share * (len(in_order) - 1)
    below, above = in_order[math.floor(place)], in_order[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def _text(value: float) -> str:
    return f"{value:.9g}"
