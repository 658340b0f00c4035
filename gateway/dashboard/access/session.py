"""Sessions of the pages: who signed in with which key, in a cookie that is signed and ends."""

import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from gateway.keys import Keyring, Tenant

COOKIE = "hearth_session"
LIFETIME = 12 * 3600
"""Seconds from signing in to the end of a session."""

_SECRET_BYTES = 32


def load_secret(folder: Path) -> bytes:
    """The key that sessions are signed with; made when first asked for, then always the same.

    The file lies beside the journal, readable by its owner only: all workers of a machine share
    it, and a restart signs nobody out.
    """
    path = folder / "session.secret"
    if not path.exists():
        _make_secret(path)
    return path.read_bytes()


def _make_secret(path: Path) -> None:
    """Complete before it has its name, since another worker may read it at once."""
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_SECRET_BYTES))
    with suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()


class Sessions:
    """Makes cookies and reads them back. `now`: seconds since the epoch."""

    def __init__(self, secret: bytes, keyring: Keyring, now: Callable[[], float]) -> None:
        self._secret = secret
        self._keyring = keyring
        self._now = now

    def cookie(self, tenant: Tenant) -> str:
        """A cookie's value for a tenant that has a key."""
        text = f"{int(self._now()) + LIFETIME}.{tenant.key_hash}"
        return f"{text}.{self._signature(text)}"

    def tenant(self, cookie: str) -> Tenant | None:
        """Who signed in; None for a cookie that is forged or over, or whose key is gone."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(_raw(signature), self._signature(text).encode()):
            return None
        expires, _, key_hash = text.partition(".")
        return self._keyring.tenant_by_hash(key_hash) if self._now() < int(expires) else None

    def _signature(self, text: str) -> str:
        mac = hmac.digest(self._secret, _raw(text), sha256)
        return urlsafe_b64encode(mac).decode().rstrip("=")


def _raw(text: str) -> bytes:
    """A field's bytes as they came, which need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape")
