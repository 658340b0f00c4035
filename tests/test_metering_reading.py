"""What every meter does, whichever answer it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS
from gateway.generation import Usage
from gateway.metering.base import Meter
from gateway.metering.meter import open_meter
from gateway.metering.reading import Reading

HEADS = [
    (b"application/json", b""),
    (b"application/json", b"gzip"),
    (b"text/event-stream", b""),
    (b"text/event-stream", b"deflate"),
    (b"audio/mpeg", b""),
    (b"application/json", b"br"),
]
NO_USAGE = b',"usage":null'
heads = pytest.mark.parametrize("head", HEADS)


def open_any(head: tuple[bytes, bytes], path: str = "chat/completions", status: int = 200) -> Meter:
    call = Call(endpoint=ENDPOINTS[path], tenant="t", stream=True, is_json=True)
    headers = [(b"content-type", head[0]), (b"content-encoding", head[1])]
    return open_meter(call, status, headers, b"x, y" * 10)


@heads
def test_before_anything_came(head: tuple[bytes, bytes]) -> None:
    """Nothing is settled, and what is known is the prompt's estimate."""
    meter = open_any(head)
    assert not meter.settled
    assert meter.reading() == Reading(usage=Usage(10, estimated=True))


@heads
def test_what_has_no_tokens_reads_as_zero(head: tuple[bytes, bytes]) -> None:
    """Refused calls, and APIs that are not billed by the token, are not estimated."""
    for meter in (open_any(head, status=500), open_any(head, "audio/speech")):
        meter.feed(b"\x00" * 400)
        meter.finish()
        assert meter.reading().usage == Usage()


@given(
    head=st.sampled_from(HEADS),
    path=st.sampled_from(sorted(ENDPOINTS)),
    pieces=st.lists(
        st.binary() | st.sampled_from([b"data: {", b"}\n\n", b'"choices":[]', b"[DONE]"])
    ),
)
def test_no_answer_is_too_strange(
    head: tuple[bytes, bytes], path: str, pieces: list[bytes]
) -> None:
    """Any bytes pass in order, all but the usage that a client did not ask for; no meter raises."""
    meter = open_any(head, path)
    passed = b"".join(map(meter.feed, pieces))
    assert meter.reading().usage.prompt_tokens in (0, 10)
    passed += meter.finish()
    assert passed.replace(NO_USAGE, b"") == b"".join(pieces).replace(NO_USAGE, b"")
