"""Failed attempts: a few are forgiven, more have to wait, and nobody waits for another."""

from gateway.dashboard.access.attempts import MAX_FAILURES, WINDOW, Attempts
from tests.clock import Clock


def test_wait_after_too_many(clock: Clock) -> None:
    """The address waits until the first of the latest failures is old enough."""
    attempts = Attempts(clock)
    for _ in range(MAX_FAILURES):
        assert attempts.wait("a") == 0
        attempts.failed("a")
        clock.now += 1
    assert attempts.wait("a") == WINDOW - MAX_FAILURES
    clock.now += WINDOW - MAX_FAILURES
    assert attempts.wait("a") == 0


def test_addresses_are_apart(clock: Clock) -> None:
    """One address that waits keeps no other from trying."""
    attempts = Attempts(clock)
    for _ in range(MAX_FAILURES):
        attempts.failed("a")
    assert attempts.wait("b") == 0


def test_memory_is_bounded(clock: Clock) -> None:
    """Ten thousand addresses are remembered; the one that failed longest ago is forgotten."""
    attempts = Attempts(clock)
    for _ in range(MAX_FAILURES):
        attempts.failed("first")
    for number in range(9_999):
        attempts.failed(f"10.0.{number}")
    assert attempts.wait("first") > 0
    attempts.failed("one more")
    assert attempts.wait("first") == 0
