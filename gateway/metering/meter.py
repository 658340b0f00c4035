"""Which meter an answer gets, by its head and by what was asked."""

from typing import Final

from gateway.call import Call
from gateway.head import Headers
from gateway.metering.answer import AnswerMeter, UnreadMeter
from gateway.metering.base import Meter
from gateway.metering.encoding import READABLE, Inflater
from gateway.metering.estimate import Estimate, open_estimate
from gateway.metering.moderation import ModerationMeter
from gateway.metering.stream import EncodedStreamMeter, StreamMeter, UsageHidingMeter

_PLAIN: Final = frozenset({b"", b"identity"})
_USUAL: Final = frozenset({b"application/json", b"text/event-stream"})
_JSON: Final = frozenset({b"", b"application/json"})


def open_meter(call: Call, status: int, headers: Headers, prompt: bytes) -> Meter:
    """The meter for an answer with this head; `prompt` is the call's body.

    An answer without Content-Type is taken for JSON.
    """
    media_type, coding = _content(headers)
    endpoint = call.endpoint
    estimate = open_estimate(endpoint.dialect, status, prompt)
    if coding not in _PLAIN and coding not in READABLE:
        return UnreadMeter(estimate)
    inflater = None if coding in _PLAIN else Inflater()
    if media_type == b"text/event-stream":
        return _stream_meter(call, inflater, estimate)
    if media_type not in _JSON and not media_type.endswith((b"/json", b"+json")):
        return UnreadMeter(estimate)
    if endpoint.path == "moderations":
        return ModerationMeter(status, inflater, estimate)
    return AnswerMeter(status, inflater, estimate)


def _stream_meter(call: Call, inflater: Inflater | None, estimate: Estimate) -> Meter:
    dialect = call.endpoint.dialect
    if inflater is not None:
        return EncodedStreamMeter(dialect, estimate, inflater)
    if call.hides_usage:
        return UsageHidingMeter(dialect, estimate)
    return StreamMeter(dialect, estimate)


def _content(headers: Headers) -> tuple[bytes, bytes]:
    """Media type and content coding, lower-cased; empty where the answer names none."""
    media_type = coding = b""
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            media_type = value if value in _USUAL else value.partition(b";")[0].strip().lower()
        elif len(name) == 16 and name.lower() == b"content-encoding":
            coding = value.strip().lower()
    return media_type, coding
