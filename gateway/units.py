"""Durations, sizes and counts as people write them: `1m30s`, `30d`; `32MiB`, `500kB`; `1 day`."""

import re
from typing import Self

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,12})?)"
_DURATION = re.compile(_NUMBER + "(ms|s|m|h|d)")
_LONGEST = 36_500 * 86_400
"""Seconds: timers can count that far, and a date in nanoseconds can go back by it."""
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(_NUMBER + "(B|kB|MB|GB|KiB|MiB|GiB)")
_LARGEST = 2**40


class Duration(float):
    """Seconds."""

    @classmethod
    def parse(cls, text: object) -> Self:
        """`1m30s` -> 90.0; ValueError says what is expected."""
        parts = _DURATION.findall(text) if isinstance(text, str) else []
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise ValueError("Expected a duration such as `500ms`, `30s`, `1m30s`, `12h` or `30d`")
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        if seconds > _LONGEST:
            raise ValueError("Expected a duration of at most 36500d")
        return cls(seconds)


class Size(int):
    """Bytes."""

    @classmethod
    def parse(cls, text: object) -> Self:
        """`32MiB` -> 33554432, a plain number is bytes; ValueError says what is expected."""
        size = text if type(text) is int else 0  # a bool is no number of bytes
        if isinstance(text, str) and (match := _SIZE.fullmatch(text)):
            size = int(float(match[1]) * _BYTES[match[2]])
        if size < 1:
            raise ValueError("Expected a size such as `64KiB`, `32MiB` or a number of bytes")
        if size > _LARGEST:
            raise ValueError("Expected a size of at most 1024GiB")
        return cls(size)


def counted(number: int, noun: str) -> str:
    """So many of something: `1 day`, `1,204 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
