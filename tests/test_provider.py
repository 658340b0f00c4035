"""A provider's places: taken by a lease, given back on every ending, and counted by route."""

import pytest

from gateway.routing.provider import Provider
from tests.parts.pools import NOW, settings


def provider(max_in_flight: int) -> Provider:
    return Provider(settings("a", max_in_flight=max_in_flight))


def test_is_available_below_its_limit() -> None:
    """It takes calls until `max_in_flight` are with it, and again when one ends."""
    subject = provider(2)
    with subject.lease("home"):
        assert subject.available(NOW)
        with subject.lease("spill"):
            assert not subject.available(NOW)
        assert subject.available(NOW)
    assert subject.in_flight == 0


def test_is_not_available_while_it_is_out() -> None:
    """Health is the other half of the one predicate."""
    subject = provider(2)
    subject.health.pause(3, NOW)
    assert not subject.available(NOW + 2.9)
    assert subject.available(NOW + 3)


def test_failed_call_gives_its_place_back() -> None:
    """An exception inside a lease passes, and the place is free."""
    subject = provider(1)
    with pytest.raises(RuntimeError, match="gone"), subject.lease("home"):
        raise RuntimeError("gone")
    assert subject.available(NOW)
    assert repr(subject) == "<Provider a in_flight=0>"


def test_calls_are_counted_by_route() -> None:
    """Every lease counts once, and stays counted; every route has its counter from the start."""
    subject = provider(9)
    for route in ("home", "home", "ramp"):
        with subject.lease(route):
            pass
    counts = {"home": 2, "spill": 0, "failover": 0, "ramp": 1, "unkeyed": 0, "pinned": 0}
    assert subject.routed == counts
