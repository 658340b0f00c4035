"""Server-sent events (WHATWG HTML, section 9.2) with JSON in them."""

from collections.abc import Mapping
from typing import Any

import msgspec


def data_event(payload: Mapping[str, Any]) -> bytes:
    """An event without a name, as in OpenAI's older APIs."""
    return b"data: %b\n\n" % msgspec.json.encode(payload)


def named_event(payload: Mapping[str, Any]) -> bytes:
    """An event named like the `type` of its payload."""
    return b"event: %b\n%b" % (payload["type"].encode(), data_event(payload))
