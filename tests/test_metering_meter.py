"""Which meter reads an answer: that depends on its head."""

import pytest

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS, Endpoint
from gateway.metering.answer import AnswerMeter, UnreadMeter
from gateway.metering.meter import open_meter
from gateway.metering.stream import EncodedStreamMeter, StreamMeter, UsageHidingMeter

CHAT = Call(endpoint=ENDPOINTS["chat/completions"], tenant="t")
STREAM = Call(endpoint=ENDPOINTS["chat/completions"], tenant="t", stream=True, is_json=True)


@pytest.mark.parametrize(
    ("media_type", "meter"),
    [
        (b"application/json", AnswerMeter),
        (b"Application/JSON; charset=utf-8", AnswerMeter),
        (b"application/problem+json", AnswerMeter),
        (b"text/event-stream;charset=utf-8", StreamMeter),
        (b"audio/mpeg", UnreadMeter),
        (b"text/plain", UnreadMeter),
    ],
)
def test_the_media_type_decides(media_type: bytes, meter: type) -> None:
    """What the answer is counts, not what was asked for; parameters and case do not matter."""
    assert type(open_meter(CHAT, 200, [(b"CONTENT-TYPE", media_type)], b"")) is meter


def test_an_answer_without_a_media_type_is_json() -> None:
    """Every API here answers JSON when it does not say otherwise."""
    assert type(open_meter(CHAT, 200, [], b"")) is AnswerMeter


@pytest.mark.parametrize(
    ("coding", "meter"),
    [
        (b"identity", UsageHidingMeter),
        (b"GZIP", EncodedStreamMeter),
        (b"deflate", EncodedStreamMeter),
        (b"br", UnreadMeter),
        (b"zstd", UnreadMeter),
        (b"gzip, br", UnreadMeter),
    ],
)
def test_the_coding_decides(coding: bytes, meter: type) -> None:
    """gzip and deflate are read, identity can be edited, other codings are neither."""
    headers = [(b"content-type", b"text/event-stream"), (b"content-encoding", coding)]
    assert type(open_meter(STREAM, 200, headers, b"")) is meter


def test_an_unknown_endpoint_is_metered_too() -> None:
    """What passes through may report usage all the same."""
    call = Call(endpoint=Endpoint(path="ocr", known=False), tenant="t")
    meter = open_meter(call, 200, [], b"")
    meter.feed(b'{"usage":{"prompt_tokens":3}}')
    meter.finish()
    assert meter.reading().usage.prompt_tokens == 3
