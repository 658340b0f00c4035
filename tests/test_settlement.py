"""Every request that asks for a model leaves exactly one record, however it ends."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.routing.preferences import Preferences
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.http_world import world
from tests.parts.raw_client import RawAnswer, ask_once, post
from tests.parts.raw_provider import RawProvider, serving
from tests.parts.recorded import generations, only_generation, read_json

KEYS = [
    {"name": "app", "key": "sk-app"},
    {"name": "strict", "key": "sk-strict", "enforce_user_ids": True},
    {"name": "ops", "key": "sk-ops", "role": "management"},
]
TWO_CODINGS = ("Content-Encoding: identity", "Content-Encoding: gzip")
ANONYMOUS = CHAT.replace(b'"user":"user_1",', b"")
PATH = "/v1/chat/completions"


@contextlib.asynccontextmanager
async def keyed(folder: Path, wire: Wire) -> AsyncIterator[tuple[RunningGateway, RawProvider]]:
    """A gateway with keys, one provider that serves one model, and a small limit for bodies."""
    async with serving(Requests(whole(COMPLETION))) as provider:
        providers = [at(provider, models=["gpt-4o-mini"], api_key="sk-theirs")]
        server = {"wire": wire, "max_body": 4096}
        async with running_gateway(folder, providers, keys=KEYS, server=server) as gateway:
            yield gateway, provider


async def ask(gateway: RunningGateway, request: bytes) -> RawAnswer:
    return await ask_once(gateway.origin, request)


def keyed_post(body: bytes, key: str, *fields: str) -> bytes:
    return post(body, PATH, f"Authorization: Bearer {key}", *fields)


REFUSED = {
    "no key": (post(CHAT), 401, "", None),
    "unknown key": (keyed_post(CHAT, "sk-x"), 401, "", None),
    "management key": (keyed_post(CHAT, "sk-ops"), 403, "ops", None),
    "not JSON": (keyed_post(b"{", "sk-app"), 400, "app", None),
    "user of another type": (keyed_post(b'{"user":1}', "sk-app"), 400, "app", None),
    "no such model": (keyed_post(CHAT.replace(b"4o", b"9"), "sk-app"), 404, "app", "user_1"),
    "too large": (keyed_post(CHAT + b" " * 4096, "sk-app"), 413, "app", None),
    "coded": (keyed_post(CHAT, "sk-app", "Content-Encoding: gzip"), 415, "app", None),
    "coded behind": (keyed_post(CHAT, "sk-app", *TWO_CODINGS), 415, "app", None),
    "no user": (keyed_post(ANONYMOUS, "sk-strict"), 422, "strict", None),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused(tmp_path: Path, wire: Wire, case: str) -> None:
    """A refusal is on record under the id that its answer names, and never reaches a provider."""
    request, status, tenant, user = REFUSED[case]
    async with keyed(tmp_path, wire) as (gateway, provider):
        answer = await ask(gateway, request)
        assert (answer.status, provider.requests) == (status, 0)
        assert "error" in msgspec.json.decode(answer.body)
        record = await only_generation(gateway, "sk-ops")
    own = record["hearth"]
    assert record["id"] == answer.text("X-Generation-Id")
    assert (own["outcome"], own["status"], own["key"]) == ("refused", status, tenant)
    assert (record["external_user"], record["provider_responses"]) == (user, [])
    assert own["error"]
    assert record["total_cost"] == 0


async def test_a_policys_flag_is_on_record(tmp_path: Path, wire: Wire) -> None:
    """The refusal says which policy spoke, with Usage Panda's body and fields."""
    async with keyed(tmp_path, wire) as (gateway, _):
        answer = await ask(gateway, keyed_post(ANONYMOUS, "sk-strict"))
        record = await only_generation(gateway, "sk-ops")
    error = msgspec.json.decode(answer.body)["error"]
    text = "Config set to block requests without user field"
    assert error["message"] == f"Usage Panda: {text}"
    assert answer.text("Access-Control-Allow-Origin") == "*"
    flags = record["hearth"]["flags"]
    assert flags == [{"type": "policy_enforce_user_ids", "description": text}]


async def test_answered(tmp_path: Path, wire: Wire) -> None:
    """A whole answer is ok, found at once by our id and by the provider's."""
    async with keyed(tmp_path, wire) as (gateway, _):
        answer = await ask(gateway, keyed_post(CHAT, "sk-app", "X-Title: Tests"))
        for wanted in (answer.text("X-Generation-Id"), "chatcmpl-1"):
            url = f"{gateway.api}/generation?id={wanted}"
            record = (await read_json(url, "sk-app"))["data"]
            own = record["hearth"]
            assert (own["outcome"], own["status"], own["key"]) == ("ok", 200, "app")
            assert (own["title"], own["user_source"]) == ("Tests", "user")
            assert (record["external_user"], record["model"]) == ("user_1", "gpt-4o-mini")
            assert (record["tokens_prompt"], record["tokens_completion"]) == (7, 3)
            assert record["total_cost"] > 0
        assert len(await generations(gateway, "sk-ops")) == 1


@pytest.mark.parametrize("status", [400, 503])
async def test_failed(tmp_path: Path, wire: Wire, status: int) -> None:
    """A provider's error is on record with the provider's words and costs nothing."""
    error = whole(b'{"error":{"message":"not today"}}', b"%d No" % status)
    async with world(tmp_path, wire, answer=error) as here:
        assert (await here.client.ask(post(CHAT))).status == status
        record = await only_generation(here.gateway)
    own = record["hearth"]
    assert (own["outcome"], own["status"], own["error"]) == ("failed", status, "not today")
    assert [one["status"] for one in record["provider_responses"]] == [status]
    assert (record["total_cost"], record["tokens_prompt"]) == (0, 0)


async def test_a_defect_of_ours(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception nobody expected is a 500 in the API's words, on record, and in the log."""

    def broken(_raw: bytes) -> Preferences:
        raise ZeroDivisionError("sk-secret")

    monkeypatch.setattr("gateway.routing.plan.read_preferences", broken)
    body = CHAT.replace(b"{", b'{"provider": {"sort": "price"}, ', 1)
    async with world(tmp_path, wire) as here:
        answer = await here.client.ask(post(body))
        record = await only_generation(here.gateway)
    assert answer.status == 500
    assert b"sk-secret" not in answer.body
    assert record["id"] == answer.text("X-Generation-Id")
    assert (record["hearth"]["outcome"], record["hearth"]["status"]) == ("failed", 500)
    assert (record["external_user"], record["provider_responses"]) == ("user_1", [])
    logged = [entry for entry in caplog.records if entry.levelno >= logging.ERROR]
    assert len(logged) == 1
    assert record["id"] in logged[0].getMessage()


async def test_many_at_once(tmp_path: Path, wire: Wire) -> None:
    """As many records as requests, each under its own id and user."""
    bodies = [CHAT.replace(b"user_1", b"user_%d" % number) for number in range(40)]
    async with world(tmp_path, wire) as here:
        answers = await asyncio.gather(*(ask(here.gateway, post(body)) for body in bodies))
        records = await generations(here.gateway)
    assert {one.text("X-Generation-Id") for one in answers} == {one["id"] for one in records}
    assert {one["external_user"] for one in records} == {f"user_{n}" for n in range(40)}
