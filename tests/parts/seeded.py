"""A ledger with two months of calls in it, and a gateway on it, for looking at pages."""

import atexit
import random
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.calendar import month_of, month_text, whole_days
from gateway.generation import Attempt, Flag, Generation, Usage
from gateway.ledger.sqlite import SqliteStore
from gateway.routing.ring import Ring
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.generations import records
from tests.parts.homes import POINTS

HOUR = 3_600_000_000
DAY = 24 * HOUR

WEIRD = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\u202eevil\u202c right to left",
    "x" * 512,
    "a/b?c#d&e=%2F",
    "..",
    "Zoë Ωmega",
    "\"quoted\" 'too'",
    "nul\0 tab\t",
)
"""User ids that a careless page would run, cut, lose or mistake for something else."""

KEYS = (
    {"name": "shop", "key": "shop-key"},
    {"name": "bot", "key": "bot-key"},
    {"name": "ops", "key": "ops-key", "role": "management"},
)
PROVIDERS = tuple(
    {"name": name, "base_url": "http://127.0.0.1:9"} for name in ("birch", "maple", "oak")
)
MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet", "mistral-small")
_SIZE = 2500
_RING = Ring({provider["name"]: 1.0 for provider in PROVIDERS}, POINTS)
_REFUSAL = Flag("policy_enforce_user_ids", "Config set to block requests without user field")


@cache
def history() -> tuple[Generation, ...]:
    """Calls of two months, up to a minute before they were first asked for."""
    chance, now = random.Random(11), int(time.time()) * 1_000_000
    users = [f"user_{name}" for name in _NAMES] + list(WEIRD)
    return tuple(_call(number, now, chance, users) for number in range(_SIZE))


def whole_month() -> str:
    """The month before this one, as YYYY-MM. The history has nearly all of it, and of this one only
    what there has been: in its first hours hardly a call."""
    return month_text(month_of(whole_days(time.time())) - 1)


def newest_month(user: str) -> str:
    """The month of a user's newest call in the history, where some have but a few."""
    return month_text(month_of(max(each.day for each in history() if each.user == user)))


def _call(number: int, now: int, chance: random.Random, users: Sequence[str]) -> Generation:
    age = (1 - (number / _SIZE) ** 0.7) * 60 * DAY + 60_000_000
    user = users[min(int(chance.paretovariate(0.7)) - 1, 10**6) % len(users)]
    tenant = "bot" if sum(user.encode()) % 4 == 0 else "shop"
    home = _RING.home(f"{tenant}\0{user}".encode())
    ending = chance.random()
    fields: dict[str, Any] = {
        "id": f"gen-{number:06}",
        "created_at": now - int(age),
        "tenant": tenant,
        "endpoint": "chat/completions",
        "api_type": "completions",
        "user": user,
        "user_source": "user",
        "model": MODELS[min(int(chance.paretovariate(1.1)) - 1, 3)],
        "peer": "127.0.0.1",
        "user_agent": "OpenAI/Python 3.52.0",
    }
    if ending < 0.03:
        return Generation(**fields | {"user": None, "user_source": None}, **_refused())
    if ending < 0.05:
        return Generation(**fields, **_failed(home))
    return Generation(**fields, **_answered(chance, home))


def _refused() -> dict[str, Any]:
    message = "Usage Panda: Config set to block requests without user field"
    return {"status": 422, "outcome": "refused", "flags": (_REFUSAL,), "error": message}


def _failed(home: str) -> dict[str, Any]:
    tries = (
        Attempt(home, status=429, latency_ms=120),
        Attempt("oak" if home != "oak" else "birch", error="connect: refused", latency_ms=35),
    )
    return {"status": 502, "outcome": "failed", "attempts": tries, "latency_ms": 160}


def _answered(chance: random.Random, home: str) -> dict[str, Any]:
    prompt, completion = chance.randrange(200, 6000), chance.randrange(20, 900)
    cached, latency = int(prompt * chance.choice((0, 0.6, 0.8, 0.9))), chance.randrange(200, 4000)
    moved = chance.random() < 0.06
    provider = next(p["name"] for p in PROVIDERS if p["name"] != home) if moved else home
    sick = [Attempt(home, status=503, latency_ms=latency // 4)] if moved else []
    tries = (*sick, Attempt(provider, status=200, latency_ms=latency * 3 // 4))
    return {
        "status": 200,
        "outcome": "ok",
        "provider": provider,
        "route": "failover" if moved else "home",
        "upstream_id": f"chatcmpl-{chance.randrange(10**9):09}",
        "finish_reason": "stop",
        "streamed": chance.random() < 0.5,
        "latency_ms": latency,
        "first_byte_ms": latency // 3,
        "usage": Usage(prompt, completion, completion // 5, cached),
        "cost": (prompt - cached) * 2500 + cached * 1250 + completion * 10_000,
        "cache_discount": cached * 1250,
        "moved_from": home if moved else None,
        "move_cost": 0 if cached or not moved else prompt * 1250,
        "attempts": tries,
    }


_NAMES = (
    *("anna", "boris", "chen", "dalia", "emre", "fatima", "georg", "hana", "ivan", "june"),
    *("kofi", "lena", "mateo", "nils", "olga", "pavel", "quinn", "rosa", "sven", "tariq"),
)


async def seed(folder: Path, generations: Sequence[Generation]) -> None:
    """Put calls into the ledger that a gateway of `folder` will open."""
    store = await SqliteStore.open(folder / "hearth.db")
    for start in range(0, len(generations), 500):
        await store.apply(records(*generations[start : start + 500], first=start + 1))
    await store.close()


@cache
def _kept() -> Path:
    """Where the history's ledger lies that every gateway of this process begins with a copy of."""
    folder = TemporaryDirectory(prefix="seeded-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@asynccontextmanager
async def seeded_gateway(folder: Path, **sections: Any) -> AsyncIterator[RunningGateway]:
    """A gateway with that history; its providers do not answer."""
    if not any(_kept().iterdir()):
        await seed(_kept(), history())
    shutil.copy(_kept() / "hearth.db", folder)
    ledger = {
        "url": f"sqlite:{folder}/hearth.db",
        "journal": f"{folder}/journal",
        "retention": {"generations": "90d"},
    }
    async with running_gateway(folder, PROVIDERS, ledger=ledger, **sections) as gateway:
        yield gateway
