"""Calls read out of requests, as edges hand them over."""

import json
from typing import Any

import pytest

from gateway.calls.call import Call, EndUser
from gateway.calls.endpoint import ENDPOINTS, Endpoint
from gateway.calls.reader import read_call
from gateway.errors import BadRequest
from tests.parts.requests import request

CHAT = ENDPOINTS["chat/completions"]
FORM = (b"Content-Type", b"multipart/form-data; boundary=b")


def read(body: bytes, *headers: tuple[bytes, bytes], endpoint: Endpoint = CHAT) -> Call:
    return read_call(request(*headers, body=body), endpoint, "my-app")


def read_fields(**fields: Any) -> Call:
    return read(json.dumps(fields).encode())


def with_user_id(value: bytes, body: bytes = b"{}") -> EndUser | None:
    return read(body, (b"Helicone-User-Id", value)).user


def refusal(body: bytes, *headers: tuple[bytes, bytes], endpoint: Endpoint = CHAT) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(body, *headers, endpoint=endpoint)
    return caught.value


def form(*parts: tuple[str, str]) -> bytes:
    """A multipart body; a part is what follows `name=` and its content."""
    lines = [
        f"--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{content}\r\n"
        for name, content in parts
    ]
    return ("".join(lines) + "--b--\r\n").encode()
