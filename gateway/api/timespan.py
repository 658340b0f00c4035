"""Stretches of time, cut into whole days or hours, which are counted, and what sticks out."""

import msgspec


class Timespan(msgspec.Struct, frozen=True):
    """From `since` to before `until`, microseconds since the epoch."""

    since: int
    until: int


class Cut(msgspec.Struct, frozen=True):
    """`units`: first and last whole day or hour since the epoch, if there is one. `ends`: what is
    left before and after them."""

    units: tuple[int, int] | None
    ends: tuple[Timespan, ...]


def cut(span: Timespan, unit: int, now: int, kept_from: int) -> Cut:
    """`span` in whole units, microseconds each.

    What begins before `kept_from`, where single requests are not kept any more, begins with its
    unit; what ends later than `now` ends with the unit of now, for nothing has happened after.
    """
    since = span.since if span.since >= kept_from else span.since // unit * unit
    until = span.until if span.until <= now else (now // unit + 1) * unit
    first, last = -(-since // unit), until // unit
    if first >= last:
        return Cut(None, _unless_empty(since, until))
    ends = (*_unless_empty(since, first * unit), *_unless_empty(last * unit, until))
    return Cut((first, last - 1), ends)


def _unless_empty(since: int, until: int) -> tuple[Timespan, ...]:
    return (Timespan(since, until),) if since < until else ()
