"""The running gateway, asked where a user goes as it stands."""

import asyncio
import ssl
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import msgspec

from gateway.api.moves import Change
from gateway.api.route import RouteAnswer
from gateway.api.user_route import UserRoute
from gateway.config import Config, Server, Tls

KEY_VARIABLE = "HEARTH_KEY"
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_CLOSING = 0.25
"""Seconds that TLS takes to close, at most, which aiohttp does not wait for:
docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown."""


class NoAnswer(Exception):
    """No gateway says where the user goes; the text says why."""


class _Refusal(msgspec.Struct, frozen=True):
    """The error of an answer, as far as it matters here."""

    message: str


class _Refused(msgspec.Struct, frozen=True):
    error: _Refusal


def address_of(server: Server) -> str:
    """The URL at which this machine reaches a gateway of this configuration; NoAnswer without."""
    if server.port == 0:
        raise NoAnswer("`server.port` is 0, which may be any port")
    host = _reachable(server.host)
    return f"{'https' if server.tls else 'http'}://{host}:{server.port}"


async def ask(
    origin: str, asked: UserRoute, change: Change | None, key: str | None, tls: Tls | None
) -> UserRoute:
    """What the gateway at `origin` says to `GET /route`; NoAnswer when there is no such gateway.

    `key` is one of the gateway's own. With `tls` it must show that very certificate.
    """
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    url = f"{origin.rstrip('/')}/api/v1/route"
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers) as session,
            session.get(
                url, params=_question(asked, change), ssl=_trust(tls), allow_redirects=False
            ) as answer,
        ):
            return _read(answer.status, await answer.read())
    except TimeoutError:
        raise NoAnswer(f"{origin} takes too long to answer") from None
    except aiohttp.ServerFingerprintMismatch:
        await asyncio.sleep(_CLOSING)
        raise NoAnswer(f"{origin} shows another certificate than that of `server.tls`") from None
    except aiohttp.ClientSSLError as error:
        raise NoAnswer(f"{origin} cannot be trusted: {error}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise NoAnswer(f"nobody answers at {origin}") from error


def key_for(config: Config, tenant: str, environ: Mapping[str, str]) -> str | None:
    """The key to ask with: one that is given, else a management key, which may see all users'
    tokens, else the user's own; None where the configuration has only hashes, or no keys."""
    if given := environ.get(KEY_VARIABLE, "").strip():  # such as the end of a line
        return given
    managers = [each for each in config.keys if each.role == "management"]
    own = [each for each in config.keys if each.name == tenant]
    return next((secret for key in managers + own for secret in key.key or ()), None)


def _question(asked: UserRoute, change: Change | None) -> Mapping[str, str]:
    given = {"user": asked.user, "key": asked.key, "model": asked.model}
    if change is not None:
        given |= {"leaving": ",".join(change.leaving), "joining": change.joining}
    return {name: value for name, value in given.items() if value}


def _reachable(host: str) -> str:
    """`0.0.0.0` and `::` are where a server listens, not where it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return f"[{host}]" if address.version == 6 else host


def _trust(tls: Tls | None) -> aiohttp.Fingerprint | bool:
    """The configured certificate itself, whatever names it is for; else what is usual."""
    if tls is None:
        return True
    try:
        leaf, footer, _ = Path(tls.cert).read_text().partition(ssl.PEM_FOOTER)
        der = ssl.PEM_cert_to_DER_cert(leaf[leaf.index(ssl.PEM_HEADER) :] + footer)
    except (OSError, ValueError) as error:
        raise NoAnswer(f"`server.tls.cert` cannot be read: {error}") from error
    return aiohttp.Fingerprint(sha256(der).digest())


def _read(status: int, body: bytes) -> UserRoute:
    try:
        if status == 200:
            return msgspec.json.decode(body, type=RouteAnswer).data
        refused = msgspec.json.decode(body, type=_Refused)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NoAnswer("what answers there is not this version of Hearth") from None
    raise NoAnswer(f"the gateway answers {status}: {refused.error.message}")
