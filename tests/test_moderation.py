"""Calls that are moderated before they are forwarded: what is asked, and what follows."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.policies.moderation import FLAG_TYPE
from tests.parts.calls import CHAT, COMPLETION, Requests, at, read_request, whole
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.metrics import scraped
from tests.parts.raw_client import RawAnswer, ask_once, connected, post
from tests.parts.raw_provider import Peer, Script, answers, serving
from tests.parts.recorded import next_generation, only_generation, read_json
from tests.parts.waiting import PATIENCE

PASSED = b'{"results":[{"flagged":false,"categories":{"hate":false}}]}'
FLAGGED = (
    b'{"results":[{"flagged":false},'
    b'{"flagged":true,"categories":{"hate":true,"sexual":false,"violence":true}}]}'
)
DESCRIPTION = "Moderation flagged this request: hate, violence"
OFF = "x-usagepanda-auto-moderate: false"


class Setting(msgspec.Struct, frozen=True):
    """A gateway with a provider for models and another one for moderations."""

    gateway: RunningGateway
    models: Requests

    async def ask(self, *fields: str, body: bytes = CHAT) -> RawAnswer:
        return await ask_once(self.gateway.origin, post(body, "/v1/chat/completions", *fields))

    async def checks(self) -> dict[str, float]:
        """Result -> number, of the moderations that `/metrics` tells of."""
        found = await scraped(self.gateway.origin)
        return {
            dict(labels)["result"]: count
            for (name, labels), count in found.items()
            if name == "hearth_moderation_checks_total"
        }


@asynccontextmanager
async def moderated(
    folder: Path,
    judge: Script,
    moderation: dict[str, Any],
    wire: Wire = "fast",
    **policies: Any,
) -> AsyncIterator[Setting]:
    """One whose moderations are answered by `judge`."""
    models = Requests(whole(COMPLETION))
    async with serving(judge) as judging, serving(models) as provider:
        judges = at(judging, "judge", weight=0, api_key="sk-judge", headers={"X-Org": "o"})
        rules = {"moderation": {"provider": "judge", **moderation}, **policies}
        async with running_gateway(
            folder, [at(provider), judges], policies=rules, server={"wire": wire}
        ) as gateway:
            yield Setting(gateway, models)


async def test_passed_call_goes_on(tmp_path: Path, wire: Wire) -> None:
    """The provider's moderations endpoint gets the user's text under its own key."""
    judge = Requests(whole(PASSED))
    async with moderated(tmp_path, judge, {"model": "omni"}, wire) as setting:
        assert (await setting.ask()).status == 200
        assert (await only_generation(setting.gateway))["hearth"]["flags"] == []
        assert await setting.checks() == {"passed": 1}
    [(head, body)] = judge.seen
    assert head.startswith(b"POST /v1/moderations HTTP/1.1\r\n")
    assert b"authorization: bearer sk-judge" in head.lower()
    assert b"X-Org: o" in head
    assert json.loads(body) == {"model": "omni", "input": ["Hi"]}
    assert len(setting.models.seen) == 1


async def test_flagged_call_is_on_record(tmp_path: Path) -> None:
    """`flag`: the call goes on, and its record says what it was flagged for."""
    async with moderated(tmp_path, Requests(whole(FLAGGED)), {}) as setting:
        assert (await setting.ask()).status == 200
        generation = await only_generation(setting.gateway)
        assert await setting.checks() == {"flagged": 1}
    assert generation["hearth"]["flags"] == [{"type": FLAG_TYPE, "description": DESCRIPTION}]
    assert len(setting.models.seen) == 1


async def test_blocked_call_is_refused(tmp_path: Path, wire: Wire) -> None:
    """`block`: Usage Panda's 422, recorded as refused, and no provider sees the call."""
    judge = Requests(whole(FLAGGED))
    async with moderated(tmp_path, judge, {"action": "block"}, wire) as setting:
        answer = await setting.ask()
        generation = await only_generation(setting.gateway)
    assert answer.status == 422
    message = f"Usage Panda: {DESCRIPTION}"
    error = {"message": message, "type": "invalid_request", "param": None, "code": None}
    assert json.loads(answer.body) == {"error": error}
    assert answer.text("Access-Control-Allow-Origin") == "*"
    assert generation["hearth"]["outcome"] == "refused"
    assert [flag["type"] for flag in generation["hearth"]["flags"]] == [FLAG_TYPE]
    assert setting.models.seen == []


@pytest.mark.parametrize(("on_error", "status"), [("allow", 200), ("block", 503)])
@pytest.mark.parametrize(
    "judge",
    [
        answers(whole(b"{}", b"500 Internal Server Error")),
        answers(whole(b"not json")),
        answers(whole(b'{"results":{}}')),
        answers(b""),
    ],
)
async def test_check_that_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, judge: Script, on_error: str, status: int
) -> None:
    """What cannot be checked goes on or is refused, as configured; log and metrics say so."""
    moderation = {"on_error": on_error, "timeout": "100ms"}
    async with moderated(tmp_path, judge, moderation) as setting:
        with caplog.at_level(logging.WARNING):
            answer = await setting.ask()
        assert await setting.checks() == {"failed": 1}
    assert answer.status == status
    assert len(setting.models.seen) == (1 if on_error == "allow" else 0)
    assert "could not be moderated by judge" in caplog.text
    if on_error == "block":
        assert json.loads(answer.body)["error"]["code"] == "moderation_unavailable"


async def test_nobody_else_is_asked(tmp_path: Path) -> None:
    """A redirection is a check that failed: keys and users' texts go to whom the configuration
    names, and to no other."""
    elsewhere = Requests(whole(PASSED))
    async with serving(elsewhere) as other:
        location = b"Location: http://127.0.0.1:%d/" % other.port
        judge = Requests(whole(b"{}", b"307 Temporary Redirect", location))
        async with moderated(tmp_path, judge, {"on_error": "block"}) as setting:
            assert (await setting.ask()).status == 503
            assert await setting.checks() == {"failed": 1}
    assert (len(judge.seen), elsewhere.seen) == (1, [])


@pytest.mark.parametrize(("rule", "status"), [("allow", 200), ("tighten", 422), ("deny", 422)])
async def test_header_switches_it_off(tmp_path: Path, rule: str, status: int) -> None:
    """Usage Panda's header goes before the configuration, as far as that lets it."""
    judge = Requests(whole(FLAGGED))
    async with moderated(tmp_path, judge, {"action": "block"}, header_override=rule) as setting:
        assert (await setting.ask(OFF)).status == status


async def test_refusals_of_other_policies_come_first(tmp_path: Path) -> None:
    """A call that is refused anyway is not worth a moderation."""
    judge = Requests(whole(PASSED))
    async with moderated(tmp_path, judge, {}, enforce_user_ids=True) as setting:
        assert (await setting.ask(body=b'{"messages":[]}')).status == 422
    assert judge.seen == []


async def test_moderations_are_not_moderated(tmp_path: Path) -> None:
    """A call that asks for a moderation gets just that one."""
    judge = Requests(whole(PASSED))
    async with (
        moderated(tmp_path, judge, {}) as setting,
        connected(setting.gateway.origin) as client,
    ):
        assert (await client.ask(post(b'{"input":"x"}', "/v1/moderations"))).body == COMPLETION
    assert judge.seen == []


async def test_flags_of_proxied_moderations(tmp_path: Path) -> None:
    """A call to `moderations` that flags counts against its user, and its answer passes on."""
    async with (
        serving(Requests(whole(FLAGGED))) as provider,
        running_gateway(tmp_path, [at(provider)]) as gateway,
    ):
        async with connected(gateway.origin) as client:
            body = b'{"model":"omni","input":"x"}'
            client.send(post(body, "/v1/moderations", "Helicone-User-Id: user_1"))
            assert (await client.answer()).body == FLAGGED
        generation = await only_generation(gateway)
        page = await read_json(f"{gateway.api}/generations?flagged=true&user=user_1")
    description = "Moderation flagged this input: hate, violence"
    assert generation["hearth"]["flags"] == [{"type": "moderation", "description": description}]
    assert generation["hearth"]["outcome"] == "ok"
    assert len(page["data"]) == 1


LONG = b'{"results":[{"flagged":false}],"x":"%b"}' % (b"x" * 5 * 1024 * 1024)


@pytest.mark.parametrize(
    "unclear",
    [b'{"results":[]}', b'{"results":[{}]}', b'{"results":[{"categories":{}}]}', LONG],
    ids=["none", "empty", "no categories", "too long"],
)
async def test_an_answer_that_does_not_tell_passes_nothing(tmp_path: Path, unclear: bytes) -> None:
    """No result, one without a verdict, and one that never ends are failures, not all-clears."""
    judge = Requests(whole(unclear))
    async with moderated(tmp_path, judge, {"on_error": "block"}) as setting:
        assert (await setting.ask()).status == 503
        assert await setting.checks() == {"failed": 1}
    assert setting.models.seen == []


@pytest.mark.parametrize(
    ("applies", "flags"),
    [(b"true", ["Moderation flagged this request: hate"]), (b"false", [])],
)
async def test_results_that_leave_it_to_their_categories(
    tmp_path: Path, applies: bytes, flags: list[str]
) -> None:
    """Mistral's say nothing of `flagged`: whoever has a category that applies is."""
    judge = Requests(whole(b'{"results":[{"categories":{"hate":%b,"pii":false}}]}' % applies))
    async with moderated(tmp_path, judge, {}) as setting:
        assert (await setting.ask()).status == 200
        found = (await only_generation(setting.gateway))["hearth"]["flags"]
    assert [flag["description"] for flag in found] == flags


async def test_categories_are_cut_to_what_a_record_has_room_for(tmp_path: Path) -> None:
    """However many, and however long their names."""
    categories = {f"{number}-{'x' * 1000}": True for number in range(1000)}
    result = {"flagged": True, "categories": categories}
    judge = Requests(whole(json.dumps({"results": [result]}).encode()))
    async with moderated(tmp_path, judge, {}) as setting:
        await setting.ask()
        [flag] = (await only_generation(setting.gateway))["hearth"]["flags"]
    assert len(flag["description"]) < 2000


@pytest.mark.parametrize(
    ("said", "read"), [(b'"Hi\xff"', "Hi\N{REPLACEMENT CHARACTER}"), (b'"Hi","n":1e999', "Hi")]
)
async def test_nobody_gets_past_a_check_with_unusual_json(
    tmp_path: Path, wire: Wire, said: bytes, read: str
) -> None:
    """What a provider may still take for text, and numbers of any size, are no failed check."""
    judge = Requests(whole(FLAGGED))
    odd = CHAT.replace(b'"Hi"', said)
    async with moderated(tmp_path, judge, {"action": "block"}, wire) as setting:
        assert (await setting.ask(body=odd)).status == 422
    assert json.loads(judge.seen[0][1])["input"] == [read]
    assert setting.models.seen == []


async def test_checks_do_not_wait_for_one_another(tmp_path: Path) -> None:
    """However many there are: what waited for a connection would use up its time in the queue."""
    calls, asked = 120, asyncio.Event()
    arrived = 0

    async def judge(peer: Peer) -> None:
        nonlocal arrived
        await read_request(peer)
        arrived += 1
        if arrived == calls:
            asked.set()
        await asked.wait()
        peer.send(whole(PASSED))
        await peer.wait_closed()

    async with moderated(tmp_path, judge, {"timeout": "1m"}) as setting:
        answers = await asyncio.gather(*(setting.ask() for _ in range(calls)))
        assert await setting.checks() == {"passed": calls}
    assert {answer.status for answer in answers} == {200}


async def test_client_leaves_while_its_call_is_checked(tmp_path: Path, wire: Wire) -> None:
    """The check is given up with the call, and nothing is forwarded."""
    left = asyncio.Event()

    async def ponder(peer: Peer) -> None:
        await read_request(peer)
        asked.set()
        await peer.wait_closed()
        left.set()

    asked = asyncio.Event()
    async with moderated(tmp_path, ponder, {}, wire) as setting:
        async with connected(setting.gateway.origin) as client:
            client.send(post(CHAT))
            await asked.wait()
        await asyncio.wait_for(left.wait(), PATIENCE)
        record = await next_generation(setting.gateway)
        assert (record["cancelled"], record["hearth"]["status"]) == (True, 499)
        assert setting.models.seen == []
