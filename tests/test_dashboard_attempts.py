"""Failed attempts: a few are forgiven, more have to wait, and nobody waits for another."""

from pathlib import Path

import msgspec

from gateway.dashboard.access.attempts import MAX_FAILURES, WINDOW, Attempts
from gateway.dashboard.frame import Dashboard
from gateway.wire.limits import LIMITS
from tests.parts.asking import recording
from tests.parts.clock import Clock


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


async def test_wall_clock_set_back(tmp_path: Path, clock: Clock) -> None:
    """Nobody waits longer for it: attempts are counted by a clock that only goes forward."""
    async with recording(tmp_path) as context:
        context = msgspec.structs.replace(context, now=clock)
        attempts = Dashboard(context, b"secret", LIMITS).attempts
    for _ in range(MAX_FAILURES):
        attempts.failed("a")
    clock.now -= 3600
    assert 0 < attempts.wait("a") <= WINDOW


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
