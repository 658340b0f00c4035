"""The guides' curl examples, as they are printed there, against a gateway."""

import asyncio
import json
import shutil
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.parts.client_world import APP_KEY, OLD_MODEL, ClientWorld

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")

BODY_EXAMPLE = """curl https://oai.hconeai.com/v1/completions \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer YOUR_API_KEY' \\
  -d '{
    "model": "text-davinci-003",
    "prompt": "How do I log users?",
    "user": "alicebob@gmail.com",
}'
"""
"""Helicone's, with the comma that JSON does not allow."""

HEADER_EXAMPLE = """curl https://oai.hconeai.com/v1/completions \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer YOUR_API_KEY' \\
  -H 'Helicone-User-Id: "alicebob@gmail.com"' \\
"""
"""Helicone's, with quotes inside the header's value; it ends where a body would follow."""


class Answer(msgspec.Struct, frozen=True):
    """What curl printed with `-i`: names of `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def run(world: ClientWorld, example: str, arguments: str = "") -> Answer:
    """Give `example` to a shell, with the gateway's address and key in place of Helicone's."""
    command = example.replace("curl https://oai.hconeai.com", f"curl -sSi {world.gateway.origin}")
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", command.replace("YOUR_API_KEY", APP_KEY) + arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    head, _, body = output.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return Answer(int(status_line.split()[1]), {n.lower(): v for n, _, v in fields}, body)


async def test_valid_body(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """Without the comma too many the example is answered, and its user is on record."""
    answer = await run(world, BODY_EXAMPLE.replace(",\n}", "\n}"))
    record = await world.record(http, answer.headers["x-generation-id"])
    assert answer.status == 200
    assert answer.json()["choices"][0]["text"]
    assert (record["external_user"], record["model"]) == ("alicebob@gmail.com", OLD_MODEL)


async def test_trailing_comma(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """The example as printed is a 400 that says the body is no JSON, and goes to no provider."""
    answer = await run(world, BODY_EXAMPLE)
    error = answer.json()["error"]
    record = await world.record(http, answer.headers["x-generation-id"])
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert error["message"].startswith("The body is not a JSON object: ")
    assert "trailing comma" in error["message"]
    assert record["hearth"]["error"] == error["message"]
    assert not world.provider.seen


async def test_quoted_header(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """The quotes of the header's example are not part of the user, who beats the body's."""
    fields = {"model": OLD_MODEL, "prompt": "How do I log users?", "user": "someone else"}
    answer = await run(world, HEADER_EXAMPLE, f"  -d '{json.dumps(fields)}'")
    record = await world.record(http, answer.headers["x-generation-id"])
    assert answer.status == 200
    assert record["external_user"] == "alicebob@gmail.com"
    assert record["hearth"]["user_source"] == "helicone-user-id"


async def test_stream(http: aiohttp.ClientSession, world: ClientWorld) -> None:
    """curl sees a stream's events as they are, to the last one."""
    fields = {"model": OLD_MODEL, "prompt": "How do I log users?", "stream": True}
    answer = await run(world, HEADER_EXAMPLE, f"  -N -d '{json.dumps(fields)}'")
    *events, done, rest = answer.body.split(b"\n\n")
    record = await world.record(http, answer.headers["x-generation-id"])
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert all(event.startswith(b"data: {") for event in events)
    assert (done, rest) == (b"data: [DONE]", b"")
    assert record["native_tokens_completion"] > 0


async def test_enforced_user_ids(world: ClientWorld) -> None:
    """An enforced call without a user shows the guide's status, body and CORS headers."""
    fields = {"model": OLD_MODEL, "prompt": "Hello there"}
    example = HEADER_EXAMPLE.replace(
        'Helicone-User-Id: "alicebob@gmail.com"', "x-usagepanda-enforce-user-ids: true"
    )
    answer = await run(world, example, f"  -d '{json.dumps(fields)}'")
    assert answer.status == 422
    assert answer.body == (
        b'{"error":{"message":"Usage Panda: Config set to block requests without user field",'
        b'"type":"invalid_request","param":null,"code":null}}'
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "*"
    assert answer.headers["access-control-allow-methods"] == "OPTIONS,POST,GET"
