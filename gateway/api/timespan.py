"""Cutting a time into whole days or hours, which have counts, and the rest before and after."""

import msgspec

from gateway.calendar import DAY, SECOND
from gateway.config import Retention


class Timespan(msgspec.Struct, frozen=True):
    """From `since` to before `until`, microseconds since the epoch."""

    since: int
    until: int


class Cut(msgspec.Struct, frozen=True):
    """`units`: first and last whole day or hour since the epoch, None without any. `ends`: what is
    left before and after them."""

    units: tuple[int, int] | None
    ends: tuple[Timespan, ...]


def cut_kept(span: Timespan, unit: int, now: int, retention: Retention) -> Cut:
    """`cut` as far back as `retention` keeps days and single requests."""
    first_day = (now - int(retention.activity * SECOND)) // DAY * DAY
    kept_from = now - int(retention.generations * SECOND)
    return cut(Timespan(max(span.since, first_day), span.until), unit, now, kept_from)


def cut(span: Timespan, unit: int, now: int, kept_from: int) -> Cut:
    """`span` in whole units of `unit` microseconds; all times in microseconds.

    A span that begins before `kept_from`, the first moment of which single requests are kept, has
    all of the unit that it begins in; one that ends later than `now` ends with the unit of `now`,
    as nothing has happened after it.
    """
    if span.until <= span.since:
        return Cut(None, ())
    since = span.since
    until = span.until if span.until <= now else (now // unit + 1) * unit
    if since < kept_from:
        since = since // unit * unit
        until = max(until, since + unit)
    first, last = -(-since // unit), until // unit
    if first >= last:
        return Cut(None, _unless_empty(since, until))
    ends = (*_unless_empty(since, first * unit), *_unless_empty(last * unit, until))
    return Cut((first, last - 1), ends)


def _unless_empty(since: int, until: int) -> tuple[Timespan, ...]:
    return (Timespan(since, until),) if since < until else ()
