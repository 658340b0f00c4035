"""What the supervisor says of the providers' health, of which all workers tell it."""

import logging
from pathlib import Path
from typing import cast

import pytest

from gateway.metrics.snapshot import Snapshot
from gateway.processes.channel import CooldownStarted, Message, SnapshotRequest, Snapshots
from gateway.processes.hub import Hub
from gateway.processes.worker_process import WorkerProcess
from gateway.routing.health_state import Cooldown
from tests.parts.gateways import build_config
from tests.parts.waiting import until

OAK = {"name": "oak", "base_url": "http://127.0.0.1:1"}


class Worker:
    """A worker process as far as the hub looks at it."""

    def __init__(self, *, is_retiring: bool = False, is_ready: bool = True) -> None:
        self.is_retiring = is_retiring
        self.is_ready = is_ready
        self.told: list[Message] = []

    def send(self, message: Message) -> None:
        self.told.append(message)


SOMEBODY = cast(WorkerProcess, Worker())


@pytest.fixture
def hub(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Hub:
    """Of a gateway with one provider."""
    caplog.set_level(logging.INFO)
    hub = Hub(Snapshot)
    hub.renew(build_config(tmp_path, [OAK]))
    return hub


def test_a_cooldown_is_logged_once(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever worker begins it, for how long and why; what others find meanwhile is no news."""
    for at in (100.0, 100.1, 104.9, 105.0):
        cooldown = Cooldown(at, at + 5, reason="5 calls in a row failed")
        hub.receive(SOMEBODY, CooldownStarted("oak", cooldown))
    hub.receive(SOMEBODY, CooldownStarted("gone", Cooldown(100.0, 105.0, reason="x")))
    assert caplog.messages == ["provider oak is left alone for 5 s: 5 calls in a row failed"]


def test_probes_are_logged_when_they_change_anything(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """Not each that fails, and not each that is good."""
    for now, good in enumerate((True, False, False, False, True, True)):
        hub.probed(hub.providers["oak"], good, float(now))
    assert caplog.messages == [
        "provider oak fails its probe, and is left alone",
        "provider oak answers its probe again",
    ]


@pytest.mark.parametrize(
    ("change", "is_sick"),
    [
        ({"weight": 2, "max_in_flight": 9}, True),
        ({"base_url": "http://127.0.0.1:2"}, False),
        ({"api_key": "the-right-one"}, False),
        ({"headers": {"api-key": "the-right-one"}}, False),
        ({"models": ["gpt-5-mini"]}, False),
        ({"timeouts": {"first_byte": "10m"}}, False),
    ],
)
def test_who_was_mended_is_well(
    hub: Hub, tmp_path: Path, change: dict[str, object], is_sick: bool
) -> None:
    """A new configuration keeps a sick provider's cooldown, unless it changes what calls may have
    failed by: then its users come home at once."""
    hub.receive(SOMEBODY, CooldownStarted("oak", Cooldown(100.0, 400.0, ejections=1)))
    renewed = build_config(tmp_path, [OAK | change])
    assert ("oak" in hub.health(renewed)) == is_sick
    hub.renew(renewed)
    assert (hub.providers["oak"].health.out_until > 0) == is_sick


def test_a_worker_that_retires_puts_nobody_out(hub: Hub) -> None:
    """Its calls fail by the configuration before, what the others have may be mended."""
    retiring = cast(WorkerProcess, Worker(is_retiring=True))
    hub.receive(retiring, CooldownStarted("oak", Cooldown(100.0, 400.0)))
    assert hub.providers["oak"].health.out_until < 100


@pytest.mark.parametrize("change", [{}, {"health": {"path": "/models"}}])
def test_whose_probe_was_mended_is_well(
    hub: Hub, tmp_path: Path, change: dict[str, object]
) -> None:
    """A provider that only a wrong probe has put down is up again once that is another one, or
    none: no probe would end it any more."""
    hub.renew(build_config(tmp_path, [OAK | {"health": {"path": "/wrong"}}]))
    for now in (1.0, 2.0):
        hub.probed(hub.providers["oak"], False, now)
    assert hub.providers["oak"].health.is_down
    renewed = build_config(tmp_path, [OAK | change])
    assert hub.health(renewed) == {}
    hub.renew(renewed)
    assert not hub.providers["oak"].health.is_down


async def test_a_worker_that_begins_is_not_asked(hub: Hub) -> None:
    """It has counted nothing yet, could not answer for seconds, and is no cause for a warning."""
    asker, beginner = Worker(), Worker(is_ready=False)
    one, other = cast(WorkerProcess, asker), cast(WorkerProcess, beginner)
    hub.workers |= {one, other}
    hub.receive(one, SnapshotRequest(7))
    await until(lambda: bool(asker.told))
    [asked] = asker.told
    assert isinstance(asked, SnapshotRequest)
    hub.receive(one, Snapshots(asked.number, [Snapshot()]))
    await until(lambda: len(asker.told) == 2)
    assert isinstance(asker.told[1], Snapshots)
    assert beginner.told == []
