"""What may stand in Host."""

import pytest

from gateway.wire.host import is_host


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"a", b"api.example", b"api.example:8443", b"a_b", b"127.0.0.1:80", b"[::1]"),
        *(b"[::1]:80", b"h:", b"xn--bcher-kva.example", b"a%20b", b" a "),
    ],
)
def test_hosts(value: bytes) -> None:
    """Names, addresses of both kinds, a port or none; nothing, where the target says it all."""
    assert is_host(value)


@pytest.mark.parametrize(
    "value",
    [
        *(b"a b", b"a/b", b"u@h", b"h:x", b"h:80:80", b"::1", b"[::1", b"a?b", b"a#b", b"%g0"),
        *("ü".encode(), b"a\x00", b"h\\", b"http://h", b"<h>"),
    ],
)
def test_what_is_no_host(value: bytes) -> None:
    """Whatever another server might cut off and read as something else."""
    assert not is_host(value)
