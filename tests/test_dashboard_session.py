"""Sessions: a cookie says who signed in, until it ends, and cannot be made by anyone else."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.dashboard.access.session import LIFETIME, Sessions, load_secret
from gateway.keys import Keyring
from tests.parts.clock import Clock
from tests.parts.gateways import build_config
from tests.parts.seeded import KEYS, PROVIDERS

SECRET = b"s" * 32


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(build_config(tmp_path, PROVIDERS, keys=list(KEYS)))


@pytest.fixture
def sessions(keyring: Keyring, clock: Clock, tmp_path: Path) -> Sessions:
    """Those of one process."""
    return Sessions(SECRET, keyring, clock, tmp_path)


@pytest.fixture
def cookie(keyring: Keyring, sessions: Sessions) -> str:
    """A cookie of the key `ops`."""
    return sessions.cookie(keyring.tenant_of(b"ops-key"))


def test_cookie_reads_back(keyring: Keyring, clock: Clock, tmp_path: Path, cookie: str) -> None:
    """It names its key to every process with the same secret, and holds no key."""
    tenant = Sessions(SECRET, keyring, clock, tmp_path).tenant(cookie)
    assert tenant == keyring.tenant_of(b"ops-key")
    assert "ops-key" not in cookie


def test_cookie_ends(sessions: Sessions, clock: Clock, cookie: str) -> None:
    """After its lifetime it is nobody's."""
    clock.now += LIFETIME - 1
    assert sessions.tenant(cookie) is not None
    clock.now += 1
    assert sessions.tenant(cookie) is None


def test_key_that_is_gone(tmp_path: Path, clock: Clock, cookie: str) -> None:
    """Taking a key out of the configuration signs out who came in with it."""
    others = Keyring(build_config(tmp_path, PROVIDERS, keys=list(KEYS[:2])))
    assert Sessions(SECRET, others, clock, tmp_path).tenant(cookie) is None


def test_secret_that_is_exchanged(tmp_path: Path, clock: Clock) -> None:
    """A session lasts for as long as the secret that it was begun with is one of its key's."""

    def sessions(*secrets: str) -> tuple[Keyring, Sessions]:
        keys = [{"name": "ops", "key": list(secrets), "role": "management"}]
        keyring = Keyring(build_config(tmp_path, PROVIDERS, keys=keys))
        return keyring, Sessions(SECRET, keyring, clock, tmp_path)

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
def test_forged_cookie(sessions: Sessions, cookie: str, forge: Callable[[str], str]) -> None:
    """What was changed anywhere is nobody's, no error, and cannot be signed out."""
    assert sessions.tenant(forge(cookie)) is None
    sessions.end(forge(cookie))
    assert sessions.tenant(cookie) is not None


def test_cookie_of_another_secret(
    keyring: Keyring, clock: Clock, tmp_path: Path, cookie: str
) -> None:
    """Only who has the secret makes cookies."""
    assert Sessions(b"t" * 32, keyring, clock, tmp_path).tenant(cookie) is None


def test_signing_out(keyring: Keyring, clock: Clock, tmp_path: Path, sessions: Sessions) -> None:
    """It ends one session of a key in every process, for good, and no other of the same second."""
    ops = keyring.tenant_of(b"ops-key")
    one = sessions.cookie(ops)
    clock.now += 0.001
    other = sessions.cookie(ops)
    sessions.end(one)
    sessions.end(one)
    for each in (sessions, Sessions(SECRET, keyring, clock, tmp_path)):
        assert (each.tenant(one), each.tenant(other)) == (None, ops)


def test_what_is_over_is_forgotten(
    keyring: Keyring, clock: Clock, tmp_path: Path, sessions: Sessions
) -> None:
    """Of the sessions that were signed out only those are remembered that would go on."""
    ops = keyring.tenant_of(b"ops-key")
    for _ in range(3):
        clock.now += LIFETIME / 2
        sessions.end(sessions.cookie(ops))
    assert len(list((tmp_path / "signed-out").iterdir())) == 2


def test_secret_stays(tmp_path: Path) -> None:
    """Made once, of 32 bytes, for its owner's eyes only; the same after a restart."""
    secret = load_secret(tmp_path)
    assert (len(secret), load_secret(tmp_path)) == (32, secret)
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("left", [b"", b"s" * 31])
def test_secret_that_is_cut_short(tmp_path: Path, left: bytes) -> None:
    """What a crash of the machine left of it signs nothing: another is made, once."""
    (tmp_path / "session.secret").write_bytes(left)
    secret = load_secret(tmp_path)
    assert (len(secret), load_secret(tmp_path)) == (32, secret)


@pytest.mark.parametrize("left", [None, b"s" * 31])
def test_workers_that_start_together(tmp_path: Path, left: bytes | None) -> None:
    """They have one secret between them, or each would end the others' sessions."""
    with ThreadPoolExecutor(8) as workers:
        for number in range(50):
            folder = tmp_path / str(number)
            folder.mkdir()
            if left is not None:
                (folder / "session.secret").write_bytes(left)
            assert len(set(workers.map(load_secret, [folder] * 8))) == 1
