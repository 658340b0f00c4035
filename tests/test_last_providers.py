"""The last providers tell a call that goes to another provider than its user's last one."""

from gateway.config import Provider as Settings
from gateway.routing.last_providers import LastProviders
from gateway.routing.plan import Candidate
from gateway.routing.provider import Provider


def at(name: str, model: str | None = "small") -> Candidate:
    settings = Settings(name=name, base_url="http://127.0.0.1:1/v1")
    return Candidate(Provider(settings), "home", model)


def test_a_move_names_where_the_user_was() -> None:
    """Staying is no move; going elsewhere is one, and so is coming back."""
    last_providers = LastProviders()
    way = ("one", "one", "two", "one")
    assert [last_providers.record(b"a\0u", at(name)) for name in way] == [None, None, "one", "two"]


def test_users_and_models_are_kept_apart() -> None:
    """Another user, or another model, is no move: it has a cache of its own."""
    last_providers = LastProviders()
    assert last_providers.record(b"a\0u", at("one")) is None
    assert last_providers.record(b"a\0v", at("two")) is None
    assert last_providers.record(b"a\0u", at("two", "large")) is None
    assert last_providers.record(b"a\0u", at("one")) is None


def test_a_call_without_a_key_never_moves() -> None:
    """Nobody is known to have moved."""
    last_providers = LastProviders()
    assert [last_providers.record(None, at(name)) for name in ("one", "two")] == [None, None]


def test_processes_share_moves() -> None:
    """Of users that are new, or not where they were, so that a move is one wherever it is seen."""
    here, there = LastProviders(), LastProviders()
    moves: list[tuple[int, str]] = []
    here.on_change = lambda user_hash, provider: moves.append((user_hash, provider))
    for user, name in ((b"u", "one"), (b"u", "one"), (b"v", "two"), (b"u", "two")):
        here.record(user, at(name))
    assert [provider for _, provider in moves] == ["one", "two", "two"]
    there.merge(dict(moves))
    assert there.all() == here.all() == dict(moves)
    assert there.record(b"u", at("two")) is None
    assert there.record(b"v", at("one")) == "two"


def test_the_longest_silent_are_forgotten() -> None:
    """It grows no larger than it may; who called lately is remembered."""
    last_providers = LastProviders(remembered=2)
    for user in (b"u", b"v", b"u", b"w"):
        last_providers.record(user, at("one"))
    assert last_providers.record(b"u", at("two")) == "one"
    assert last_providers.record(b"v", at("two")) is None
