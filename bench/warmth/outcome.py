"""What became of the calls, and what it comes to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from bench.spread import percentile
from gateway.generation import Route, Usage
from gateway.pricing.prices import Prices


class Served(msgspec.Struct, frozen=True, gc=False):
    """One call: when it was made, by whom, who answered; the first token came `waited` s later.

    `provider` is None where nobody was left to ask, and then nothing else is known. `cut`: the
    provider died while it answered; `ok` it answered to the end.
    """

    at: float
    user: int
    prompt: int
    answer: int
    outcome: Literal["ok", "cut", "failed"]
    provider: str | None = None
    route: Route | None = None
    cached: int = 0
    waited: float = 0.0


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`cost` in USD, `p50` and `p95` seconds to the first token, `moves` per user.

    A move is a call of a user that another provider answered than the user's last one.
    """

    calls: int
    failed: int
    cut: int
    prompt_tokens: int
    cached_tokens: int
    cost: float
    p50: float
    p95: float
    moves: float
    routes: Mapping[Route, int]

    @property
    def cached_share(self) -> float:
        """The part of all prompt tokens that came out of a cache."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


def summarize(served: Sequence[Served], prices: Prices, model: str) -> Summary:
    """Of calls in the order in which they were made, at least one of them answered."""
    answered = [each for each in served if each.provider is not None]
    waits = [each.waited for each in answered]
    users = {each.user for each in answered}
    return Summary(
        calls=len(served),
        failed=len(served) - len(answered),
        cut=sum(each.outcome == "cut" for each in served),
        prompt_tokens=sum(each.prompt for each in answered),
        cached_tokens=sum(each.cached for each in answered),
        cost=sum(_cost(each, prices, model) for each in answered) / 1e9,
        p50=percentile(waits, 50),
        p95=percentile(waits, 95),
        moves=count_moves(answered) / len(users),
        routes=Counter(each.route for each in answered if each.route is not None),
    )


def count_moves(served: Sequence[Served]) -> int:
    """How often somebody's call was answered by another provider than the one before."""
    last: dict[int, str | None] = {}
    moves = 0
    for each in served:
        moves += last.get(each.user, each.provider) != each.provider
        last[each.user] = each.provider
    return moves


def cached_over_time(served: Sequence[Served], every: float) -> Iterator[tuple[float, float]]:
    """(Middle of a span of `every` seconds, cached share of the prompts of its calls)."""
    prompts: Counter[int] = Counter()
    cached: Counter[int] = Counter()
    for each in served:
        prompts[int(each.at // every)] += each.prompt
        cached[int(each.at // every)] += each.cached
    for span in sorted(prompts):
        yield (span + 0.5) * every, cached[span] / prompts[span]


def _cost(each: Served, prices: Prices, model: str) -> int:
    usage = Usage(
        prompt_tokens=each.prompt, completion_tokens=each.answer, cached_tokens=each.cached
    )
    total, _ = prices.cost(each.provider or "", model, usage, None)
    return total
