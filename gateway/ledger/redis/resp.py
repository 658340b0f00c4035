"""Commands as Redis reads them
(https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server).

A batch is one command of some thousand arguments and hundreds of kilobytes. hiredis takes twice as
long for it, and makes it one string, for which the kernel maps and clears pages each time.
"""

from collections.abc import Sequence
from typing import Final

Argument = str | bytes | int | float

_PART_SIZE: Final = 64 * 1024
"""Half of what malloc(3) asks the kernel for anew, and gives back when it is freed."""

_OVERHEAD: Final = 8
"""What an argument takes beside its data, about."""

_USUAL: Final = 1024
_LENGTHS: Final = [b"\r\n$%d\r\n" % size for size in range(_USUAL)]


def packed(command: Sequence[Argument]) -> list[bytes]:
    """A command's name and arguments, text as UTF-8, in parts to be sent one after the other."""
    parts: list[bytes] = []
    pieces: list[bytes] = [b"*%d" % len(command)]
    size = 0
    for argument in command:
        data = _data(argument)
        length = len(data)
        size += length + _OVERHEAD
        if size > _PART_SIZE:
            parts.append(b"".join(pieces))
            pieces, size = [], length
        pieces.append(_LENGTHS[length] if length < _USUAL else b"\r\n$%d\r\n" % length)
        pieces.append(data)
    pieces.append(b"\r\n")
    parts.append(b"".join(pieces))
    return parts


def _data(argument: Argument) -> bytes:
    if isinstance(argument, str):
        return argument.encode()
    return argument if isinstance(argument, bytes) else repr(argument).encode()
