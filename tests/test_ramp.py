"""The queue to come back: fixed for each user and provider, and fair."""

import subprocess
import sys

import pytest

from gateway.routing.ramp import is_back, place_in_queue

USERS = [f"my-app\0user_{number}".encode() for number in range(5000)]


def test_everyone_is_back_at_last_and_nobody_at_first() -> None:
    """Share 0 is nobody, share 1 is everybody."""
    assert not any(is_back(user, "a", 0.0) for user in USERS)
    assert all(is_back(user, "a", 1.0) for user in USERS)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_is_that_many_users(share: float) -> None:
    """Within two percent of all."""
    back = sum(is_back(user, "a", share) for user in USERS)
    assert back / len(USERS) == pytest.approx(share, abs=0.02)


def test_each_provider_has_a_queue_of_its_own() -> None:
    """Who is first at one is not therefore first at another."""
    early = [user for user in USERS if is_back(user, "a", 0.5)]
    both = sum(is_back(user, "b", 0.5) for user in early)
    assert both / len(early) == pytest.approx(0.5, abs=0.03)


def test_every_process_agrees() -> None:
    """A place is the same in another process, with another PYTHONHASHSEED."""
    program = (
        "from gateway.routing.ramp import place_in_queue\n"
        f"print(*[place_in_queue(user, 'a') for user in {USERS[:5]!r}])\n"
    )
    environ = {"PYTHONHASHSEED": "4711"}
    output = subprocess.check_output([sys.executable, "-c", program], text=True, env=environ)
    assert [float(place) for place in output.split()] == [
        place_in_queue(user, "a") for user in USERS[:5]
    ]
