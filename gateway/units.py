"""Durations and sizes as people write them: `5s`, `1m30s`, `30d`; `32MiB`, `500kB`."""

import re
from typing import Self

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,12})?)"
_DURATION = re.compile(_NUMBER + "(ms|s|m|h|d)")
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(_NUMBER + "(B|kB|MB|GB|KiB|MiB|GiB)")


class Duration(float):
    """Seconds."""

    @classmethod
    def parse(cls, text: object) -> Self:
        """`1m30s` -> 90.0; ValueError says what is expected."""
        parts = _DURATION.findall(text) if isinstance(text, str) else []
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise ValueError("Expected a duration such as `500ms`, `30s`, `1m30s`, `12h` or `30d`")
        return cls(sum(float(number) * _SECONDS[unit] for number, unit in parts))


class Size(int):
    """Bytes."""

    @classmethod
    def parse(cls, text: object) -> Self:
        """`32MiB` -> 33554432, a plain number is bytes; ValueError says what is expected."""
        if isinstance(text, int) and not isinstance(text, bool) and text > 0:
            return cls(text)
        match = _SIZE.fullmatch(text) if isinstance(text, str) else None
        if match is None or (size := cls(float(match[1]) * _BYTES[match[2]])) < 1:
            raise ValueError("Expected a size such as `64KiB`, `32MiB` or a number of bytes")
        return size
