"""`GET /route`: where a user goes and why, live, and what a change would move."""

from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest

from gateway.api import moves
from gateway.api.days import read_days
from gateway.routing.ring import Ring
from tests.parts.calls import CHAT, COMPLETION, Requests, at, whole
from tests.parts.gateways import RunningGateway, Wire, running_gateway
from tests.parts.homes import POINTS, USER_OF_A, USER_OF_B
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import serving
from tests.parts.recorded import generations, read_json

KEYS = [
    {"name": "shop", "key": "sk-shop"},
    {"name": "bakery", "key": "sk-bakery"},
    {"name": "ops", "key": "sk-ops", "role": "management"},
]
PROVIDERS = [{"name": name, "base_url": "http://127.0.0.1:1/v1"} for name in ("a", "b", "c")]
RING = Ring({"a": 1, "b": 1, "c": 1}, POINTS)


async def route(gateway: RunningGateway, query: str, key: str = "", status: int = 200) -> Any:
    answer = await read_json(f"{gateway.api}/route?{query}", key, status)
    return answer["data"] if status == 200 else answer["error"]["message"]


async def test_choices_are_the_rings(tmp_path: Path, wire: Wire) -> None:
    """Every provider in the user's order, with its share; the first one is where the user goes."""
    async with running_gateway(tmp_path, PROVIDERS, server={"wire": wire}) as gateway:
        found = await route(gateway, "user=user_1&model=gpt-4o-mini")
    order = list(RING.walk(b"default\0user_1"))
    assert [choice["provider"] for choice in found["choices"]] == order
    assert [choice["share"] for choice in found["choices"]] == [RING.shares()[n] for n in order]
    assert (found["provider"], found["route"], found["key"]) == (order[0], "home", "default")
    assert {choice["obstacle"] for choice in found["choices"]} == {None}
    assert found["choices"][0]["why"] == "first on the ring after the user"


async def test_it_is_live(tmp_path: Path) -> None:
    """An ejection shows: the provider is out, for how long, and the user is elsewhere."""
    body = CHAT.replace(b"user_1", USER_OF_A)
    sick, well = Requests(whole(b"{}", b"500 No")), Requests(whole(COMPLETION))
    async with (
        serving(sick) as a,
        serving(well) as b,
        running_gateway(tmp_path, [at(a, "a"), at(b, "b")]) as gateway,
        connected(gateway.origin) as client,
    ):
        for _ in range(6):
            assert (await client.ask(post(body))).status == 200
        found = await route(gateway, f"user={USER_OF_A.decode()}")
    assert len(sick.seen) == 5
    assert (found["provider"], found["route"]) == ("b", "failover")
    out, _ = found["choices"]
    assert (out["provider"], out["obstacle"], out["ejections"]) == ("a", "out", 1)
    assert 0 < out["returns_in"] <= 10
    assert (out["routed"]["home"], found["choices"][1]["routed"]["failover"]) == (5, 6)


async def test_keys_see_their_own_users(tmp_path: Path) -> None:
    """A client key is its own tenant; a management key has to say whose user it means."""
    async with running_gateway(tmp_path, PROVIDERS, keys=KEYS) as gateway:
        own = await route(gateway, "user=u", "sk-shop")
        assert own["key"] == "shop"
        assert await route(gateway, "user=u&key=shop", "sk-ops") == own
        assert "of its own" in await route(gateway, "user=u&key=bakery", "sk-shop", 403)
        assert "shop, bakery" in await route(gateway, "user=u", "sk-ops", 400)
        assert "shop, bakery" in await route(gateway, "user=u&key=ops", "sk-ops", 400)
        assert await route(gateway, "user=u", "", 401)


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("model=m", 400, "`user` is missing"),
        ("user=u&model=none", 404, "No provider serves the model `none`"),
        ("user=u&model=resting", 503, "Every provider of the model `resting` is drained"),
        ("leaving=z", 400, "must name some, not all, of a, b"),
        ("leaving=a,z", 400, "must name some, not all, of a, b"),
        ("leaving=a,b", 400, "must name some, not all, of a, b"),
        ("leaving=a&key=z", 400, "Parameter `key` must be one of default"),
        ("joining=a", 400, "must be a new name"),
        ("joining=z&weight=0", 400, "a number above 0"),
        ("leaving=a&weight=2", 400, "`weight` needs `joining`"),
        ("joining=z&weight=heavy", 400, "a number above 0"),
        ("joining=z&weight=nan", 400, "a number above 0"),
        ("users=u", 400, "Unknown parameter"),
    ],
)
async def test_wrong_questions(tmp_path: Path, query: str, status: int, text: str) -> None:
    """What cannot be answered is refused, and says what could be."""
    providers = [{**each, "models": ["m"]} for each in PROVIDERS[:2]]
    drained = {**PROVIDERS[0], "name": "d", "models": ["resting"], "weight": 0}
    async with running_gateway(tmp_path, [*providers, drained]) as gateway:
        assert text in await route(gateway, query, status=status)


async def test_only_one_provider_cannot_leave(tmp_path: Path) -> None:
    """Nobody would be left to move to."""
    async with running_gateway(tmp_path, PROVIDERS[:1]) as gateway:
        assert "some, not all, of a" in await route(gateway, "leaving=a", status=400)


async def test_users_without_a_home(tmp_path: Path) -> None:
    """Where users are not what calls stick by, the route is `unkeyed`."""
    sticky = {"key": ["session_id"]}
    async with running_gateway(tmp_path, PROVIDERS, sticky=sticky) as gateway:
        found = await route(gateway, "user=u")
        change = await route(gateway, "user=u&leaving=a")
    assert (found["provider"], found["route"], found["choices"]) == (None, "unkeyed", [])
    assert (change["moves"]["home"], change["moves"]["tokens"]) == (None, None)


async def test_changes_are_not_anybodys(tmp_path: Path) -> None:
    """Whoever asks what a change moves need not say whose user is meant."""
    async with running_gateway(tmp_path, PROVIDERS, keys=KEYS) as gateway:
        for key in ("sk-ops", "sk-shop"):
            found = await route(gateway, "leaving=a", key)
            assert (found["key"], found["user"], found["choices"]) == (None, None, [])
            assert found["moves"]["users"] == pytest.approx(RING.shares()["a"])


async def test_a_change_at_once(tmp_path: Path) -> None:
    """Two may leave and one come: each user's new home is that of the ring they make."""
    after = Ring({"c": 1, "d": 1}, POINTS)
    async with running_gateway(tmp_path, PROVIDERS) as gateway:
        found = await route(gateway, "user=u&leaving=a,b&joining=d")
    assert found["moves"]["home"] == after.home(b"default\0u")
    flows = {(flow["from"], flow["to"]) for flow in found["moves"]["between"]}
    assert flows == {("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")}


def test_a_change_makes_one_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many leave, and however often one is named: rings are slow to make."""
    made = Mock(wraps=Ring)
    monkeypatch.setattr(moves, "Ring", made)
    after = moves.Change(leaving=("a", "b", "a"), joining="d").applied_to(RING)
    assert (after.names, made.call_count) == (("c", "d"), 1)


async def test_tokens_of_other_models(tmp_path: Path) -> None:
    """Each model has a ring of its own: without `model` the tokens of all count, each on its."""
    async with serving(Requests(whole(COMPLETION))) as peer:
        providers = [at(peer, "a", models=["small", "large"]), at(peer, "b", models=["small"])]
        async with running_gateway(tmp_path, providers) as gateway:
            async with connected(gateway.origin) as client:
                for model, user in ((b"small", USER_OF_A), (b"small", USER_OF_B), (b"large", b"x")):
                    body = CHAT.replace(b"user_1", user).replace(b"gpt-4o-mini", model)
                    assert (await client.ask(post(body))).status == 200
            await generations(gateway)  # by when all are counted
            of_all = (await route(gateway, "leaving=a"))["moves"]
            of_small = (await route(gateway, "leaving=a&model=small"))["moves"]
    assert of_all["tokens"] == pytest.approx(2 / 3)
    assert of_small["tokens"] == pytest.approx(1 / 2)


async def test_models_that_nobody_serves(tmp_path: Path) -> None:
    """Who asked for one has no home that could move: no tokens are counted for it."""
    body = CHAT.replace(b"user_1", USER_OF_A)
    async with serving(Requests(whole(COMPLETION))) as peer:
        providers = [at(peer, name, models=["small"]) for name in ("a", "b")]
        async with running_gateway(tmp_path, providers) as gateway:
            async with connected(gateway.origin) as client:
                for model, status in ((b"small", 200), (b"large", 404)):
                    asked = post(body.replace(b"gpt-4o-mini", model))
                    assert (await client.ask(asked)).status == status
            await generations(gateway)  # by when both are counted
            leaving = (await route(gateway, "leaving=a"))["moves"]
            joining = (await route(gateway, "joining=c"))["moves"]
    assert leaving["tokens"] == 1
    assert joining["tokens"] == (RING.home(b"default\0" + USER_OF_A) == "c")


async def test_tokens_of_too_many_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more users than one answer may read, the share that moves is told, and no tokens."""
    monkeypatch.setattr(moves, "read_days", partial(read_days, most=1))
    async with serving(Requests(whole(COMPLETION))) as peer:
        providers = [at(peer, "a"), at(peer, "b")]
        async with (
            running_gateway(tmp_path, providers) as gateway,
            connected(gateway.origin) as client,
        ):
            for user, tokens in ((USER_OF_A, 1.0), (USER_OF_B, None)):
                body = CHAT.replace(b"user_1", user)
                assert (await client.ask(post(body))).status == 200
                await generations(gateway)  # by when it is counted
                found = (await route(gateway, "leaving=a"))["moves"]
                assert found["tokens"] == tokens
                assert found["users"] > 0


async def test_what_leaving_and_joining_move(tmp_path: Path) -> None:
    """Users by the arcs of the ring, tokens by what each user used since yesterday."""
    users = [f"user_{number}" for number in range(6)]
    async with serving(Requests(whole(COMPLETION))) as peer:
        providers = [at(peer, name) for name in ("a", "b", "c")]
        async with running_gateway(tmp_path, providers) as gateway:
            async with connected(gateway.origin) as client:
                for user in users:
                    client.send(post(CHAT.replace(b"user_1", user.encode())))
                    assert (await client.answer()).status == 200
            await generations(gateway)  # by when all are counted
            leaving = (await route(gateway, "leaving=a"))["moves"]
            joining = (await route(gateway, "joining=d&weight=2&user=u"))["moves"]
    assert leaving["users"] == pytest.approx(RING.shares()["a"])
    assert {move["from"] for move in leaving["between"]} == {"a"}
    after = Ring({"a": 1, "b": 1, "c": 1, "d": 2}, POINTS)
    assert joining["users"] == pytest.approx(after.shares()["d"])
    for found, ring in ((leaving, Ring({"b": 1, "c": 1}, POINTS)), (joining, after)):
        keys = [f"default\0{user}".encode() for user in users]
        moved = [key for key in keys if RING.home(key) != ring.home(key)]
        assert found["tokens"] == pytest.approx(len(moved) / len(users))


async def test_other_methods(tmp_path: Path) -> None:
    """It is there to be read."""
    async with (
        running_gateway(tmp_path, PROVIDERS) as gateway,
        aiohttp.ClientSession() as session,
        session.post(f"{gateway.api}/route") as answer,
    ):
        assert answer.status == 405
