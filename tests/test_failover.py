"""Which failures send a call to the next provider, and what the client sees when all fail."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.parts.calls import (
    CHAT,
    COMPLETION,
    HELLO,
    STREAM,
    STREAM_HEAD,
    Requests,
    at,
    babble,
    chunk,
    hang,
    hang_up,
    whole,
)
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.homes import USER_OF_A, USER_OF_B
from tests.parts.raw_client import RawAnswer, ask_once, connected, post
from tests.parts.raw_provider import Peer, RawProvider, Script, serving
from tests.parts.recorded import only_generation
from tests.parts.rlimits import no_more_files
from tests.parts.waiting import until

BODY = CHAT.replace(b"user_1", USER_OF_A)
"""A call whose home is `a` and whose second choice is `b`."""


@contextlib.asynccontextmanager
async def two_providers(
    folder: Path, wire: Wire, first: Script, second: Script, **timeouts: str
) -> AsyncIterator[tuple[RunningGateway, RawProvider, RawProvider]]:
    """A gateway with providers `a` and `b`, and those."""
    async with serving(first) as a, serving(second) as b:
        providers = [at(a, "a", timeouts=timeouts), at(b, "b")]
        async with running_gateway(folder, providers, server={"wire": wire}) as gateway:
            yield gateway, a, b


async def ask(gateway: RunningGateway, body: bytes = BODY) -> RawAnswer:
    return await ask_once(gateway.origin, post(body))


async def stutter(peer: Peer) -> None:
    """Break off within the head."""
    await peer.head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_provider_in_trouble_is_passed_over(
    tmp_path: Path, wire: Wire, status: int
) -> None:
    """Its answer is dropped, the next candidate's is given, and the record lists both tries."""
    trouble = Requests(whole(b"{}", b"%d Trouble" % status))
    async with two_providers(tmp_path, wire, trouble, Requests(whole(COMPLETION))) as running:
        gateway, a, b = running
        answer = await ask(gateway)
        assert (answer.status, answer.body) == (200, COMPLETION)
        assert (answer.text("X-Hearth-Provider"), answer.text("X-Hearth-Route")) == (
            "b",
            "failover",
        )
        assert (a.requests, b.requests) == (1, 1)
        record = await only_generation(gateway)
    tries = [(one["provider_name"], one["status"]) for one in record["provider_responses"]]
    assert tries == [("a", status), ("b", 200)]
    assert (record["provider_name"], record["hearth"]["outcome"]) == ("b", "ok")


@pytest.mark.parametrize("script", [hang, hang_up, stutter, babble], ids=lambda s: s.__name__)
async def test_a_provider_that_gives_no_answer_is_passed_over(
    tmp_path: Path, wire: Wire, script: Script
) -> None:
    """Silence, an early end and noise before the first byte cost the client nothing but time."""
    second = Requests(whole(COMPLETION))
    async with two_providers(tmp_path, wire, script, second, first_byte="50ms") as running:
        gateway, _, _ = running
        assert (await ask(gateway)).body == COMPLETION
        record = await only_generation(gateway)
    failed, answered = record["provider_responses"]
    assert (failed["status"], answered["status"]) == (None, 200)
    assert failed["error"]


async def test_a_provider_that_is_down_is_passed_over(tmp_path: Path, wire: Wire) -> None:
    """A refused connection sends the call on."""
    async with serving(Requests(whole(COMPLETION))) as b:
        providers = [{"name": "a", "base_url": "http://127.0.0.1:1/v1"}, at(b, "b")]
        async with running_gateway(tmp_path, providers, server={"wire": wire}) as gateway:
            assert (await ask(gateway)).body == COMPLETION
            record = await only_generation(gateway)
    assert record["provider_responses"][0]["error"].startswith("connect: ")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 501])
async def test_the_clients_own_fault_is_returned(tmp_path: Path, wire: Wire, status: int) -> None:
    """An error that another provider would give too comes back as it is; nobody else is asked."""
    error = b'{"error":{"message":"no such thing"}}'
    refusal = Requests(whole(error, b"%d No" % status))
    async with two_providers(tmp_path, wire, refusal, Requests(whole(COMPLETION))) as running:
        gateway, _, b = running
        answer = await ask(gateway)
        assert (answer.status, answer.body, b.requests) == (status, error, 0)
        record = await only_generation(gateway)
    assert (record["hearth"]["outcome"], record["hearth"]["error"]) == ("failed", "no such thing")


async def test_no_failover_after_the_first_byte(tmp_path: Path, wire: Wire) -> None:
    """What broke off is not begun again elsewhere: the client has a part of it already."""

    async def break_off(peer: Peer) -> None:
        await peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel")

    async with two_providers(tmp_path, wire, break_off, Requests(whole(COMPLETION))) as running:
        gateway, _, b = running
        answer = await ask(gateway)
        assert (answer.status, answer.complete, b.requests) == (200, False, 0)


async def test_all_failed_shows_the_last_answer(tmp_path: Path, wire: Wire) -> None:
    """When every provider is in trouble, the client gets what the last one said, to the byte."""
    last = whole(b'{"error":"busy"}', b"429 Too Many", b"Retry-After: 7")
    first = Requests(whole(b"{}", b"503 Down"))
    async with two_providers(tmp_path, wire, first, Requests(last)) as (gateway, _, _):
        answer = await ask(gateway)
        assert (answer.status, answer.body) == (429, b'{"error":"busy"}')
        assert answer.values(b"retry-after") == [b"7"]
        record = await only_generation(gateway)
    assert (record["hearth"]["outcome"], record["hearth"]["status"]) == ("failed", 429)
    assert [one["status"] for one in record["provider_responses"]] == [503, 429]


@pytest.mark.parametrize(
    ("script", "first_byte", "status", "code"),
    [
        (hang_up, "1m", 502, "provider_unavailable"),
        (hang, "300ms", 504, "provider_timeout"),
    ],
)
async def test_none_answered(
    tmp_path: Path, wire: Wire, script: Script, first_byte: str, status: int, code: str
) -> None:
    """502, or 504 when the last one ran out of time; every attempt is listed, no address is."""
    async with two_providers(
        tmp_path, wire, script, Requests(whole(b"{}", b"503 Down")), first_byte=first_byte
    ) as (gateway, a, _):
        home_is_b = BODY.replace(USER_OF_A, USER_OF_B)
        answer = await ask(gateway, home_is_b)
        assert answer.status == status
        error = msgspec.json.decode(answer.body)["error"]
        assert (error["code"], error["type"]) == (code, "upstream_error")
        assert error["message"].startswith("No provider answered; tried b (503), a (")
        assert a.requests == 1
        record = await only_generation(gateway)
    assert (record["hearth"]["outcome"], record["hearth"]["status"]) == ("failed", status)


async def test_attempts_in_openrouters_envelope(tmp_path: Path, wire: Wire) -> None:
    """Below /api/v1 the attempts come as OpenRouter's `previous_errors`."""
    async with (
        two_providers(tmp_path, wire, hang_up, hang_up) as (gateway, _, _),
        connected(gateway.origin) as client,
    ):
        answer = await client.ask(post(BODY, "/api/v1/chat/completions"))
    error: dict[str, Any] = msgspec.json.decode(answer.body)["error"]
    assert (error["code"], error["metadata"]["error_type"]) == (502, "provider_unavailable")
    assert [one["provider"] for one in error["metadata"]["previous_errors"]] == ["a", "b"]


async def test_every_provider_at_its_limit(tmp_path: Path, wire: Wire) -> None:
    """With no place left anywhere the answer is 503 and says when to come back."""
    async with serving(hang) as a:
        providers = [at(a, max_in_flight=1)]
        async with (
            running_gateway(tmp_path, providers, server={"wire": wire}) as gateway,
            connected(gateway.origin) as waiting,
        ):
            waiting.send(post(BODY))
            await until(lambda: a.requests > 0)
            answer = await ask(gateway)
            assert (answer.status, answer.values(b"retry-after")) == (503, [b"1"])
            record = await only_generation(gateway)
    assert (record["hearth"]["outcome"], record["hearth"]["status"]) == ("refused", 503)


async def test_out_of_files(tmp_path: Path, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Where Hearth itself can open no connection, nobody else is asked and nobody blamed for it:
    503, and one line in the log that says what to do."""
    once = Requests(whole(COMPLETION, b"200 OK", b"Connection: close"))
    async with (
        two_providers(tmp_path, wire, once, once) as (gateway, a, b),
        connected(gateway.origin) as client,
    ):
        assert (await client.ask(post(BODY))).status == 200
        with no_more_files():
            refused = [await client.ask(post(BODY)) for _ in range(10)]
        answer = await client.ask(post(BODY))
        assert (a.requests, b.requests) == (2, 0)
    assert (answer.status, answer.text("X-Hearth-Route")) == (200, "home")
    assert {each.status for each in refused} == {503}
    assert refused[0].values(b"retry-after") == [b"1"]
    told = [each.message for each in caplog.records if each.name == "gateway.wire.upstream"]
    assert len(told) == 1
    assert "LimitNOFILE" in told[0]


async def test_idle_timeout_cuts_a_stream(tmp_path: Path, wire: Wire) -> None:
    """A provider that falls silent in mid-stream is given up after `idle`."""

    async def fall_silent(peer: Peer) -> None:
        await peer.head()
        peer.send(STREAM_HEAD + chunk(HELLO))
        await peer.wait_closed()

    async with serving(fall_silent) as a:
        providers = [at(a, timeouts={"idle": "50ms"})]
        async with running_gateway(tmp_path, providers, server={"wire": wire}) as gateway:
            started = time.monotonic()
            answer = await ask(gateway, STREAM)
            assert time.monotonic() - started < 10
            assert not answer.complete
            assert b"nothing more of the answer for 0.05 s" in answer.body
            record = await only_generation(gateway)
    assert record["hearth"]["outcome"] == "cut"
