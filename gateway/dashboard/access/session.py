"""Sessions of the pages: who signed in with which key, in a cookie that is signed and ends."""

import fcntl
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from gateway.calendar import SECOND
from gateway.keys import Keyring, Tenant

COOKIE = "hearth_session"
LIFETIME = 12 * 3600
"""Seconds from signing in to the end of a session."""

_SECRET_BYTES = 32


def load_secret(folder: Path) -> bytes:
    """The key that sessions are signed with; made when first asked for, then always the same.

    The file lies beside the journal, readable by its owner only: all workers of a machine share
    it, and a restart signs nobody out. One that is cut short, as a crash of the machine may leave
    it, is made anew: with nothing for a key, anybody could sign.
    """
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
    with os.fdopen(os.open(folder / "session.secret", flags, 0o600), "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # while another worker makes it
        secret = file.read()
        if len(secret) < _SECRET_BYTES:
            secret = secrets.token_bytes(_SECRET_BYTES)
            file.seek(0)
            file.write(secret)
        return secret


class Sessions:
    """Makes cookies, reads them back, and ends them. `now`: seconds since the epoch.

    A cookie's text is its end, in microseconds so that no two are the same, and its key's hash.
    Once it is signed out, a file of that name lies beside the secret, for all workers to see.
    """

    def __init__(
        self, secret: bytes, keyring: Keyring, now: Callable[[], float], folder: Path
    ) -> None:
        self._secret = secret
        self._keyring = keyring
        self._now = now
        self._ended = folder / "signed-out"

    def cookie(self, tenant: Tenant) -> str:
        """A cookie's value for a tenant that has a key."""
        text = f"{int((self._now() + LIFETIME) * SECOND)}.{tenant.key_hash}"
        return f"{text}.{self._signature(text)}"

    def tenant(self, cookie: str) -> Tenant | None:
        """Who signed in; None for a cookie that is forged or over, or whose key is gone."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(_raw(signature), self._signature(text).encode()):
            return None
        if self._is_over(text) or (self._ended / text).exists():
            return None
        return self._keyring.tenant_by_hash(text.partition(".")[2])

    def end(self, cookie: str) -> None:
        """Let nobody in with this cookie any more, nor with a copy of it."""
        if self.tenant(cookie) is None:
            return
        self._ended.mkdir(mode=0o700, exist_ok=True)
        for file in self._ended.iterdir():
            if self._is_over(file.name):
                file.unlink(missing_ok=True)
        (self._ended / cookie.rpartition(".")[0]).touch(mode=0o600)

    def _is_over(self, text: str) -> bool:
        return int(text.partition(".")[0]) <= self._now() * SECOND

    def _signature(self, text: str) -> str:
        mac = hmac.digest(self._secret, _raw(text), sha256)
        return urlsafe_b64encode(mac).decode().rstrip("=")


def _raw(text: str) -> bytes:
    """A field's bytes as they came, which need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape")
