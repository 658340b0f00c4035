"""A month of calls of very many users, random but always the same ones."""

import random
from collections.abc import Iterator

from gateway.calendar import DAY
from gateway.generation import Attempt, Flag, Generation, Record, Usage

FIRST_DAY = 20_393
"""1 November 2025, in days since the epoch."""

DAYS = 30
_MODELS = ("gpt-4o-mini", "gpt-4o", "claude-sonnet", "mistral-small")
_PROVIDERS = ("birch", "maple", "oak")
_FLAG = Flag("policy_enforce_user_ids", "Config set to block requests without user field")
RARE = ("mistral-small", "oak")
"""A model and a provider, both common, that never meet."""


def month(
    users: int, generations: int, seed: int = 5, start: int = FIRST_DAY * DAY
) -> Iterator[Record]:
    """Each user calls once, in random order; by Zipf's law with exponent 1.1 go the other calls.

    The first call is at `start`, microseconds since the epoch.
    """
    chance = random.Random(seed)
    newcomers = list(range(users))
    chance.shuffle(newcomers)
    for number in range(generations):
        is_new = chance.random() * (generations - number) < len(newcomers)
        user = newcomers.pop() if is_new else int(_zipf(chance.random(), users)) - 1
        moment = start + DAYS * DAY * number // generations
        yield Record("bench", number + 1, _call(number, moment, user, chance))


def _zipf(share: float, users: int) -> float:
    """The rank below which that share of the calls goes, 1 to `users`: the continuous law's
    distribution function, turned round."""
    return float((1 + share * (users**-0.1 - 1)) ** -10)


def _call(number: int, moment: int, user: int, chance: random.Random) -> Generation:
    model = _MODELS[user % 4]
    choices = [name for name in _PROVIDERS if (model, name) != RARE]
    provider = choices[user // 4 % len(choices)]
    prompt = chance.randrange(200, 6000)
    cached = prompt // 2
    failed = chance.random() < 0.01
    return Generation(
        id=f"gen-{moment // 1_000_000}-5f0c2b7a91d4{number:08x}",
        created_at=moment,
        tenant="shop" if user % 3 else "bot",
        endpoint="chat/completions",
        api_type="completions",
        status=502 if failed else 200,
        outcome="failed" if failed else "ok",
        user=f"user_{user:07}",
        user_source="user",
        model=model,
        upstream_model=model,
        provider=provider,
        route="home" if chance.random() < 0.98 else "failover",
        upstream_id=f"chatcmpl-{chance.randrange(10**16):016}",
        finish_reason="stop",
        latency_ms=chance.randrange(200, 4000),
        first_byte_ms=180,
        usage=Usage(prompt, 80, 0, cached),
        cost=(prompt - cached) * 2500 + cached * 1250 + 800_000,
        cache_discount=cached * 1250,
        attempts=(Attempt(provider, status=200, latency_ms=900),),
        flags=(_FLAG,) if chance.random() < 0.002 else (),
        peer="127.0.0.1",
        user_agent="OpenAI/Python 3.52.0",
    )
