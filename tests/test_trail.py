"""The trail knows a call that goes to another provider than its user's last one."""

from gateway.config import Provider as Settings
from gateway.routing.plan import Candidate
from gateway.routing.provider import Provider
from gateway.routing.trail import Trail


def at(name: str, model: str | None = "small") -> Candidate:
    settings = Settings(name=name, base_url="http://127.0.0.1:1/v1")
    return Candidate(Provider(settings), "home", model)


def test_a_move_names_where_the_user_was() -> None:
    """Staying is no move; going elsewhere is one, and so is coming back."""
    trail = Trail()
    there_and_back = [trail.follow(b"a\0u", at(name)) for name in ("one", "one", "two", "one")]
    assert there_and_back == [None, None, "one", "two"]


def test_users_and_models_have_trails_of_their_own() -> None:
    """Another user, or another model, is no move: it has a cache of its own."""
    trail = Trail()
    assert trail.follow(b"a\0u", at("one")) is None
    assert trail.follow(b"a\0v", at("two")) is None
    assert trail.follow(b"a\0u", at("two", "large")) is None
    assert trail.follow(b"a\0u", at("one")) is None


def test_a_call_without_a_key_has_no_trail() -> None:
    """Nobody is known to have moved."""
    trail = Trail()
    assert [trail.follow(None, at(name)) for name in ("one", "two")] == [None, None]


def test_others_hear_of_steps() -> None:
    """Of users that are new, or not where they were, so that a move is one wherever it is seen."""
    here, there = Trail(), Trail()
    steps: list[tuple[int, str]] = []
    here.on_step = lambda walker, provider: steps.append((walker, provider))
    for user, name in ((b"u", "one"), (b"u", "one"), (b"v", "two"), (b"u", "two")):
        here.follow(user, at(name))
    assert [provider for _, provider in steps] == ["one", "two", "two"]
    there.hear(dict(steps))
    assert there.steps() == here.steps() == dict(steps)
    assert there.follow(b"u", at("two")) is None
    assert there.follow(b"v", at("one")) == "two"


def test_the_longest_silent_are_forgotten() -> None:
    """It grows no larger than it may; who called lately is remembered."""
    trail = Trail(remembered=2)
    for user in (b"u", b"v", b"u", b"w"):
        trail.follow(user, at("one"))
    assert trail.follow(b"u", at("two")) == "one"
    assert trail.follow(b"v", at("two")) is None
