"""Which meter an answer gets, by its head and by what was asked."""

from typing import Final

from gateway.calls.call import Call
from gateway.calls.head import Headers
from gateway.metering.answer import AnswerMeter, ModerationMeter, UnreadMeter
from gateway.metering.base import Meter
from gateway.metering.encoding import READABLE, Inflater
from gateway.metering.estimate import Estimate
from gateway.metering.stream import (
    EncodedStreamMeter,
    NullUsageHidingMeter,
    StreamMeter,
    UsageHidingMeter,
)

_JSON: Final = b"application/json"
_EVENTS: Final = b"text/event-stream"


def open_meter(call: Call, status: int, headers: Headers, prompt: bytes) -> Meter:
    """The meter for an answer with this head; `prompt` is the call's body.

    An answer without Content-Type is taken for JSON.
    """
    media_type, coding = _content(headers)
    endpoint = call.endpoint
    estimate = Estimate(endpoint.dialect, status, prompt)
    is_plain = coding in (b"", b"identity")
    if not endpoint.metered or (not is_plain and coding not in READABLE):
        return UnreadMeter(estimate)
    inflater = None if is_plain else Inflater()
    if media_type == _EVENTS:
        return _stream_meter(call, inflater, estimate)
    if media_type not in (b"", _JSON) and not media_type.endswith((b"/json", b"+json")):
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
    if call.hides_null_usage:
        return NullUsageHidingMeter(dialect, estimate)
    return StreamMeter(dialect, estimate)


def _content(headers: Headers) -> tuple[bytes, bytes]:
    """Media type and content coding, lower-cased; empty where the answer names none."""
    media_type = coding = b""
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            is_usual = value in (_JSON, _EVENTS)
            media_type = value if is_usual else value.partition(b";")[0].strip().lower()
        elif len(name) == 16 and name.lower() == b"content-encoding":
            coding = value.strip().lower()
    return media_type, coding
