"""Moments as the APIs write them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_moment(microseconds: int) -> str:
    """Microseconds since the epoch as ISO 8601 with offset."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")


def iso_milliseconds(microseconds: int) -> str:
    """The same as JavaScript's `toISOString` writes it: milliseconds and a Z."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch; a moment without an offset is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
