"""Commands are packed as the protocol says."""

from typing import Any

import pytest
from hiredis import pack_command

from gateway.ledger.redis.resp import packed


def test_lengths_are_bytes() -> None:
    """An argument is told with its length in bytes, which is not that of its characters."""
    set_command = packed(("SET", "zoë", b"\r\n"))
    assert b"".join(set_command) == b"*3\r\n$3\r\nSET\r\n$4\r\nzo\xc3\xab\r\n$2\r\n\r\n\r\n"


@pytest.mark.parametrize(
    "command",
    [
        ("PING",),
        ("EVALSHA", "f" * 40, 2, "a", "", b"", b"\x00\xff"),
        ("ZADD", "key", 1.5, -1, 2**63, 1e300, 0.1),
        *(("SET", "key", "x" * size) for size in (9, 10, 1023, 1024, 1025, 100_000)),
    ],
)
def test_as_hiredis(command: Any) -> None:
    """Text, bytes and numbers of any size are packed as hiredis does it."""
    assert b"".join(packed(command)) == pack_command(command)


def test_parts_are_small() -> None:
    """A long command comes in parts of some 64 KB, and a short one in one."""
    command: Any = ("MSET", *(f"key-{number}" for number in range(20_000)))
    parts = packed(command)
    assert b"".join(parts) == pack_command(command)
    assert 4 <= len(parts) <= 8
    assert max(map(len, parts)) < 128 * 1024
    assert len(packed(("GET", "key"))) == 1
