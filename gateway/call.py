"""What was asked: the fields that routing, policies and metering need, and whose request it is.

The body itself is forwarded as the bytes that came.
"""

from collections.abc import Mapping

import msgspec

from gateway.config import StickySource
from gateway.endpoint import Endpoint
from gateway.fingerprint import fingerprint


class EndUser(msgspec.Struct, frozen=True):
    """Who the app acts for. `source` is the field the id came from."""

    id: str
    source: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request, understood.

    `asks_usage`: the client itself asked for `stream_options.include_usage`.
    `is_json`: the body is a JSON object whose top-level fields may be rewritten.
    `models`: those to ask for, one after the other, where the client named several; then `model`
    is the first of them. `provider`: OpenRouter's object of that name, undecoded. `affinity`: the
    client did not ask to be routed as if nobody knew it.
    `overrides`: the `x-usagepanda-*` fields, names in lower case; what policies may be told.
    """

    endpoint: Endpoint
    tenant: str
    user: EndUser | None = None
    safety_identifier: str | None = None
    session_id: str | None = None
    prompt_cache_key: str | None = None
    model: str | None = None
    stream: bool = False
    asks_usage: bool = False
    is_json: bool = False
    models: tuple[str, ...] = ()
    provider: bytes = b"null"
    affinity: bool = True
    overrides: Mapping[str, str] = {}

    @property
    def hides_usage(self) -> bool:
        """Whether usage is asked for on Hearth's own account, and kept from the client.

        `stream_options.include_usage` exists in Chat Completions and Completions only.
        """
        speaks = self.endpoint.dialect in ("chat", "completions")
        return speaks and self.is_json and self.stream and not self.asks_usage

    def sticky_key(self, sources: tuple[StickySource, ...], body: bytes = b"") -> bytes | None:
        """`tenant \\0 id` of the first source that has one: where on the ring this call lives.

        `body` is read again for a fingerprint alone, and only where nothing before it is there.
        """
        if not self.affinity:
            return None
        for source in sources:
            if found := self._sticky_value(source, body):
                return f"{self.tenant}\0{found}".encode()
        return None

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
