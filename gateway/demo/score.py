"""What one world's traffic came to, read from its gateway as any operator would read it."""

from typing import Any

import aiohttp
import msgspec


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over everything the gateway counted; `cost` in USD."""

    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0

    @property
    def cached_share(self) -> float:
        """The part of all prompt tokens that came from a provider's cache, 0 to 1."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


async def read_score(session: aiohttp.ClientSession, origin: str) -> Score:
    """The sums of `GET /api/v1/activity`, today included."""
    url = f"{origin}/api/v1/activity?include_today=true"
    async with session.get(url, raise_for_status=True) as answer:
        rows: list[dict[str, Any]] = (await answer.json())["data"]
    return Score(
        requests=sum(row["requests"] for row in rows),
        prompt_tokens=sum(row["prompt_tokens"] for row in rows),
        cached_tokens=sum(row["cached_tokens"] for row in rows),
        cost=sum(row["usage"] for row in rows),
    )
