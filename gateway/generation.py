"""What happened: one frozen record for every request that asked for a model, however it ended.

Records are kept as arrays (`array_like`), without names: it is the order of fields that lets them
be read again, so new ones go to the end and none goes away. None leads back to itself, so the
garbage collector need not look at any (`gc=False`).
"""

from typing import Literal

import msgspec

from gateway.calendar import DAY

Route = Literal["home", "spill", "failover", "ramp", "unkeyed", "pinned"]
"""Why a call went where it went; docs/architecture.md explains each."""

Outcome = Literal["ok", "refused", "failed", "cancelled", "cut"]
"""How a request ended: `refused` by us, `failed` with a provider's or our error, `cancelled` by the
client, `cut` by the provider mid-answer."""

ERRORS = frozenset(("refused", "failed", "cut"))
"""Outcomes that count as errors; a client that left is none."""


class Extras(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What of a usage is not text. Tokens of audio and of images are parts of the prompt's and of
    the completion's; what of them was cached is a part of the cached tokens, too."""

    prompt_audio_tokens: int = 0
    prompt_image_tokens: int = 0
    cached_audio_tokens: int = 0
    cached_image_tokens: int = 0
    completion_audio_tokens: int = 0
    completion_image_tokens: int = 0
    web_searches: int = 0


class Usage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Tokens as the provider bills them.

    `prompt_tokens` holds cached and cache-write tokens, `completion_tokens` holds reasoning
    tokens. `estimated`: the answer ended before its provider had counted. `cache_write_1h_tokens`
    are those of the cache writes that Anthropic keeps for an hour, which cost more than others.
    `extras`: None of a call that is text alone, as nearly all are. `service_tier`: the one that was
    used, as OpenAI's `flex` or Anthropic's `fast`; None of the usual one.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    estimated: bool = False
    cache_write_1h_tokens: int = 0
    extras: Extras | None = None
    service_tier: str | None = None

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


UsageValues = tuple[int, int, int, int, int, bool, int, Extras | None, str | None]
"""The fields of a Usage, in their order."""


class Attempt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One try at one provider: the status it answered, or why it did not; milliseconds."""

    provider: str
    model: str | None = None
    status: int | None = None
    error: str | None = None
    latency_ms: int = 0


class Flag(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What counts against a request's user: a policy's verdict, with Usage Panda's type names and
    texts, a moderation's, or a provider's refusal."""

    type: str
    description: str


class Generation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One request, from its head to its last byte.

    `created_at` is microseconds since the epoch; `latency_ms` runs to the last byte,
    `first_byte_ms` to the provider's first; `cost` and `cache_discount` are nano-dollars (the
    discount is negative where cache writes cost more than they saved). `moved_from`: the provider
    of the user's call before, with the same model, when it was another one; `move_cost`:
    nano-dollars that the prompt would have cost less from a warm cache, when such a call found
    none. `status` is what the client saw; 499 when it left before there was one.
    """

    id: str
    created_at: int
    tenant: str
    endpoint: str
    status: int
    outcome: Outcome
    api_type: str | None = None
    user: str | None = None
    user_source: str | None = None
    session_id: str | None = None
    model: str | None = None
    upstream_model: str | None = None
    provider: str | None = None
    route: Route | None = None
    upstream_id: str | None = None
    streamed: bool = False
    finish_reason: str | None = None
    latency_ms: int = 0
    first_byte_ms: int | None = None
    usage: Usage = Usage()
    cost: int = 0
    cache_discount: int = 0
    moved_from: str | None = None
    move_cost: int = 0
    attempts: tuple[Attempt, ...] = ()
    flags: tuple[Flag, ...] = ()
    error: str | None = None
    peer: str | None = None
    user_agent: str | None = None
    referer: str | None = None
    title: str | None = None

    @property
    def day(self) -> int:
        """Days since the epoch, UTC; the day its counts belong to."""
        return self.created_at // DAY

    @property
    def settled_at(self) -> int:
        """Microseconds since the epoch, when the client had its last byte."""
        return self.created_at + self.latency_ms * 1000

    @property
    def is_error(self) -> bool:
        """Whether it counts as an error."""
        return self.outcome in ERRORS


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A generation in its writer's journal: the unit of exactly-once counting.

    `writer` names one run of one process, `sequence` counts from 1 without gaps.
    """

    writer: str
    sequence: int
    generation: Generation
