"""What a provider is asked and what it answers, whichever API it speaks."""

from collections.abc import Iterator
from typing import Annotated, Any, Protocol

import msgspec

Limit = Annotated[int, msgspec.Meta(ge=1)]
"""The most tokens an answer may have."""


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A request for text, understood.

    `text` is all the model reads, in an order in which a continued conversation begins with what
    was sent before. `asks_usage`: a stream shall end with its usage. `limit`: None for
    no limit. `caches`: whether the prompt cache is used.
    """

    model: str
    text: str
    stream: bool = False
    asks_usage: bool = False
    limit: Limit | None = None
    caches: bool = True


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The text a model answered, token by token, and what it read for that.

    `prompt_tokens` holds those read from the cache and those written to it. `created` is seconds
    since the epoch. `complete` is False when the limit cut the text off.
    """

    id: str
    provider: str
    model: str
    created: int
    tokens: tuple[str, ...]
    complete: bool
    prompt_tokens: int
    cached_tokens: int
    written_tokens: int
    asks_usage: bool

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def completion_tokens(self) -> int:
        return len(self.tokens)

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Dialect(Protocol):
    """An API for text: how it is asked, and how it answers at once or as a stream."""

    def read(self, body: bytes) -> Prompt:
        """Understand a request; msgspec.DecodeError when it is not one of this API."""

    def body(self, reply: Reply) -> dict[str, Any]:
        """The whole answer, to be sent as JSON."""

    def events(self, reply: Reply) -> Iterator[bytes]:
        """The answer as server-sent events."""
