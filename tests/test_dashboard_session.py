"""Sessions: a cookie says who signed in, until it ends, and cannot be made by anyone else."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.dashboard.access.session import LIFETIME, Sessions, load_secret
from gateway.keys import Keyring
from tests.clock import Clock
from tests.gateways import build_config
from tests.seeded import KEYS, PROVIDERS

SECRET = b"s" * 32


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(build_config(tmp_path, PROVIDERS, keys=list(KEYS)))


@pytest.fixture
def cookie(keyring: Keyring, clock: Clock) -> str:
    """A cookie of the key `ops`."""
    return Sessions(SECRET, keyring, clock).cookie(keyring.tenant_of(b"ops-key"))


def test_cookie_reads_back(keyring: Keyring, clock: Clock, cookie: str) -> None:
    """It names its key to every process with the same secret, and holds no key."""
    tenant = Sessions(SECRET, keyring, clock).tenant(cookie)
    assert tenant == keyring.tenant_of(b"ops-key")
    assert "ops-key" not in cookie


def test_cookie_ends(keyring: Keyring, clock: Clock, cookie: str) -> None:
    """After its lifetime it is nobody's."""
    sessions = Sessions(SECRET, keyring, clock)
    clock.now += LIFETIME - 1
    assert sessions.tenant(cookie) is not None
    clock.now += 1
    assert sessions.tenant(cookie) is None


def test_key_that_is_gone(tmp_path: Path, clock: Clock, cookie: str) -> None:
    """Taking a key out of the configuration signs out who came in with it."""
    others = Keyring(build_config(tmp_path, PROVIDERS, keys=list(KEYS[:2])))
    assert Sessions(SECRET, others, clock).tenant(cookie) is None


def test_secret_that_is_exchanged(tmp_path: Path, clock: Clock) -> None:
    """A session lasts for as long as the secret that it was begun with is one of its key's."""

    def sessions(*secrets: str) -> tuple[Keyring, Sessions]:
        keys = [{"name": "ops", "key": list(secrets), "role": "management"}]
        keyring = Keyring(build_config(tmp_path, PROVIDERS, keys=keys))
        return keyring, Sessions(SECRET, keyring, clock)

    keyring, before = sessions("old")
    cookie = before.cookie(keyring.tenant_of(b"old"))
    _, meanwhile = sessions("new", "old")
    _, after = sessions("new")
    known = meanwhile.tenant(cookie)
    assert known is not None
    assert known.name == "ops"
    assert after.tenant(cookie) is None


@pytest.mark.parametrize(
    "forge",
    [
        lambda cookie: "",
        lambda cookie: "a.b.c",
        lambda cookie: cookie[:-1],
        lambda cookie: cookie + "A",
        lambda cookie: "9" + cookie,
        lambda cookie: cookie.rpartition(".")[0] + ".",
        lambda cookie: "ü\udc80." + cookie,
        lambda cookie: cookie + "\udcff",
    ],
)
def test_forged_cookie(
    keyring: Keyring, clock: Clock, cookie: str, forge: Callable[[str], str]
) -> None:
    """What was changed anywhere is nobody's, and no error."""
    assert Sessions(SECRET, keyring, clock).tenant(forge(cookie)) is None


def test_cookie_of_another_secret(keyring: Keyring, clock: Clock, cookie: str) -> None:
    """Only who has the secret makes cookies."""
    assert Sessions(b"t" * 32, keyring, clock).tenant(cookie) is None


def test_secret_stays(tmp_path: Path) -> None:
    """Made once, of 32 bytes, for its owner's eyes only; the same after a restart."""
    secret = load_secret(tmp_path)
    assert (len(secret), load_secret(tmp_path)) == (32, secret)
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
