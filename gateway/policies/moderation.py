"""Ask a provider's moderation endpoint about a call before it is forwarded.

Flag, text and header are those of Usage Panda's `auto-moderate`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Literal

import aiohttp
import msgspec

from gateway.calls.call import Call
from gateway.calls.credentials import credential
from gateway.calls.request import Request
from gateway.config import Moderation, Policies, Provider
from gateway.errors import ModerationUnavailable
from gateway.generation import Flag
from gateway.metering.moderation import flagged_categories
from gateway.metering.shapes import UNDECODABLE
from gateway.policies.override import is_on
from gateway.policies.usertext import user_texts

OVERRIDE = "x-usagepanda-auto-moderate"

FLAG_TYPE = "policy_auto_moderate"

Result = Literal["passed", "flagged", "failed"]

_MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes; the scores of one text take about 1000."""

_log = logging.getLogger(__name__)


class _Answer(msgspec.Struct):
    results: msgspec.Raw


_decode = msgspec.json.Decoder(_Answer).decode


class Moderator:
    """Checks calls at `provider`; `count` is told the result of every check.

    To be made where the event loop runs, and closed there.
    """

    def __init__(
        self, settings: Moderation, provider: Provider, count: Callable[[Result], None]
    ) -> None:
        self._settings = settings
        self._url = f"{provider.base_url.rstrip('/')}/moderations"
        self._model = provider.upstream_model(settings.model)
        self._count = count
        self._session = aiohttp.ClientSession(
            headers=_headers(provider),
            timeout=aiohttp.ClientTimeout(settings.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0),  # what waits for a connection would time out
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()

    @property
    def blocks(self) -> bool:
        """Whether a flagged call is refused."""
        return self._settings.action == "block"

    async def check(self, call: Call, request: Request, policies: Policies) -> Flag | None:
        """The flag of a call whose user says what the endpoint flags.

        ModerationUnavailable where it cannot tell, and `on_error` is `block`; BadRequest for a call
        that cannot be read.
        """
        if not _is_due(call, request, policies):
            return None
        texts = user_texts(request, is_json=call.is_json)
        try:
            # aiohttp's client works in a task only, and the call may not be in one.
            categories = await asyncio.create_task(self._ask(texts)) if texts else None
        except (aiohttp.ClientError, TimeoutError, *UNDECODABLE) as error:
            self._failed(error)
            return None
        if categories is None:
            self._count("passed")
            return None
        self._count("flagged")
        return Flag(FLAG_TYPE, f"Moderation flagged this request: {categories}")

    async def _ask(self, texts: list[str]) -> str | None:
        body = msgspec.json.encode({"model": self._model, "input": texts})
        async with self._session.post(
            self._url, data=body, raise_for_status=True, allow_redirects=False
        ) as answer:
            verdict = _decode(await _read(answer))
        return flagged_categories(bytes(verdict.results))

    def _failed(self, error: Exception) -> None:
        self._count("failed")
        reason = str(error) or type(error).__name__
        _log.warning("a call could not be moderated by %s: %s", self._settings.provider, reason)
        if self._settings.on_error == "block":
            raise ModerationUnavailable("The call could not be moderated; try again shortly")


def _is_due(call: Call, request: Request, policies: Policies) -> bool:
    """Not for a call that goes unread, that only counts tokens, or that asks for moderation
    itself."""
    asked, is_for_users = call.overrides.get(OVERRIDE), call.endpoint.enforced
    return is_for_users and bool(request.body) and is_on(True, asked, policies.header_override)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > _MAX_ANSWER:
            raise aiohttp.ClientPayloadError(f"The answer is longer than {_MAX_ANSWER} bytes")
    return bytes(body)


def _headers(provider: Provider) -> dict[str, str]:
    key = credential(provider.api_key, "moderations", ())
    return {"Content-Type": "application/json", **key, **provider.headers}
