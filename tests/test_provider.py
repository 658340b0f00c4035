"""A provider's places: taken by a lease, given back on every ending."""

import pytest

from gateway import config
from gateway.routing.provider import Provider


def provider(max_in_flight: int) -> Provider:
    return Provider(
        config.Provider(name="a", base_url="http://a.example", max_in_flight=max_in_flight)
    )


def test_is_available_below_its_limit() -> None:
    """It takes calls until `max_in_flight` are with it, and again when one ends."""
    subject = provider(2)
    with subject.lease():
        assert subject.available()
        with subject.lease():
            assert not subject.available()
        assert subject.available()
    assert subject.in_flight == 0


def test_failed_call_gives_its_place_back() -> None:
    """An exception inside a lease passes, and the place is free."""
    subject = provider(1)
    with pytest.raises(RuntimeError, match="gone"), subject.lease():
        raise RuntimeError("gone")
    assert subject.available()
    assert repr(subject) == "<Provider a in_flight=0>"
