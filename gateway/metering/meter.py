"""Which meter an answer gets, by its head and by what was asked."""

from gateway.call import Call
from gateway.metering.answer import AnswerMeter, UnreadMeter
from gateway.metering.encoding import READABLE, Inflater
from gateway.metering.estimate import Estimate, open_estimate
from gateway.metering.moderation import ModerationMeter
from gateway.metering.reading import Meter
from gateway.metering.stream import EncodedStreamMeter, StreamMeter, UsageHidingMeter
from gateway.request import Headers

_PLAIN = frozenset({b"", b"identity"})


def open_meter(call: Call, status: int, headers: Headers, prompt: bytes) -> Meter:
    """The meter for an answer with this head; `prompt` is the call's body.

    An answer without Content-Type is taken for JSON.
    """
    media_type, coding = _content(headers)
    estimate = open_estimate(call.endpoint.dialect, status, prompt)
    if coding not in _PLAIN and coding not in READABLE:
        return UnreadMeter(estimate)
    inflater = None if coding in _PLAIN else Inflater()
    if media_type == b"text/event-stream":
        return _stream_meter(call, inflater, estimate)
    if not media_type or media_type.endswith((b"/json", b"+json")):
        meter = ModerationMeter if call.endpoint.path == "moderations" else AnswerMeter
        return meter(status, inflater, estimate)
    return UnreadMeter(estimate)


def _stream_meter(call: Call, inflater: Inflater | None, estimate: Estimate) -> Meter:
    dialect = call.endpoint.dialect
    if inflater:
        return EncodedStreamMeter(dialect, estimate, inflater)
    if call.hides_usage:
        return UsageHidingMeter(dialect, estimate)
    return StreamMeter(dialect, estimate)


def _content(headers: Headers) -> tuple[bytes, bytes]:
    """Media type and content coding, lower-cased; empty where the answer names none."""
    media_type = coding = b""
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            media_type = value.partition(b";")[0].strip().lower()
        elif len(name) == 16 and name.lower() == b"content-encoding":
            coding = value.strip().lower()
    return media_type, coding
