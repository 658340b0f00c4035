"""What was asked: the fields that routing, policies and metering need, and whose request it is.

The body itself is forwarded as the bytes that came.
"""

from collections.abc import Mapping
from typing import Final

from gateway.calls.endpoint import Endpoint
from gateway.calls.fingerprint import fingerprint
from gateway.config import StickySource

_NO_OVERRIDES: Final[Mapping[str, str]] = {}


class EndUser:
    """Who the app acts for. `source` is the field the id came from."""

    def __init__(self, id: str, source: str) -> None:
        self.id: Final = id
        self.source: Final = source

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EndUser):
            return NotImplemented
        return self.id == other.id and self.source == other.source

    def __hash__(self) -> int:
        return hash((self.id, self.source))

    def __repr__(self) -> str:
        return f"EndUser({self.id!r}, {self.source!r})"


class Call:
    """A request, understood; it does not change.

    `asks_usage`: the client itself asked for `stream_options.include_usage`. `expects_usage`: it
    asked with OpenRouter's `usage.include`, which other providers do not know.
    `is_json`: the body is a JSON object whose top-level fields may be rewritten.
    `models`: those to ask for, one after the other, where the client named several; then `model`
    is the first of them. `provider`: OpenRouter's object of that name, undecoded. `affinity`:
    unless the client asks to be routed as if its user were not known.
    `overrides`: the `x-usagepanda-*` fields, names in lower case; what policies may be told.
    `knows_null_usage`: its API has a null `usage` in the chunks of a stream, as OpenAI's has and
    OpenRouter's has not.
    `adds_usage`: usage is asked for on Hearth's own account; `stream_options.include_usage` exists
    in Chat Completions and Completions only. `hides_usage`: what comes of that is kept from the
    client. `hides_null_usage`: at least the null `usage` of all chunks but the last is.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        tenant: str,
        user: EndUser | None = None,
        safety_identifier: str | None = None,
        session_id: str | None = None,
        prompt_cache_key: str | None = None,
        model: str | None = None,
        stream: bool = False,
        asks_usage: bool = False,
        expects_usage: bool = False,
        knows_null_usage: bool = True,
        is_json: bool = False,
        models: tuple[str, ...] = (),
        provider: bytes | None = None,
        affinity: bool = True,
        overrides: Mapping[str, str] = _NO_OVERRIDES,
    ) -> None:
        self.endpoint: Final = endpoint
        self.tenant: Final = tenant
        self.user: Final = user
        self.safety_identifier: Final = safety_identifier
        self.session_id: Final = session_id
        self.prompt_cache_key: Final = prompt_cache_key
        self.model: Final = model
        self.stream: Final = stream
        self.asks_usage: Final = asks_usage
        self.is_json: Final = is_json
        self.models: Final = models
        self.provider: Final = provider
        self.affinity: Final = affinity
        self.overrides: Final = overrides
        may_ask = is_json and stream and endpoint.dialect in ("chat", "completions")
        self.adds_usage: Final = may_ask and not asks_usage
        self.expects_usage: Final = expects_usage
        self.hides_usage: Final = self.adds_usage and not expects_usage
        self.hides_null_usage: Final = self.hides_usage or (may_ask and not knows_null_usage)

    def sticky_key(self, sources: tuple[StickySource, ...], body: bytes = b"") -> bytes | None:
        """`tenant \\0 id` of the first source that has one: where on the ring this call lives.

        What is at an address that is not known may be something that one provider keeps, such as a
        file or a batch: there, calls without an id live together, where their key does. `body` is
        read again for a fingerprint alone, and only where nothing before it is there.
        """
        if not self.affinity:
            return None
        for source in sources:
            if found := self._sticky_value(source, body):
                return f"{self.tenant}\0{found}".encode()
        return None if self.endpoint.known else f"{self.tenant}\0".encode()

    def _sticky_value(self, source: StickySource, body: bytes) -> str | None:
        if source == "user":
            return self.user.id if self.user else None
        if source == "session_id":
            return self.session_id
        if source == "prompt_cache_key":
            return self.prompt_cache_key
        if source == "safety_identifier":
            return self.safety_identifier
        return fingerprint(body) if self.is_json else None
