"""The processes of one gateway, as each of them knows the others."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from gateway.metrics.snapshot import ProviderState, Snapshot, provider_states
from gateway.routing.provider import Provider


class Peers(Protocol):
    """All processes that serve this gateway's port."""

    async def snapshots(self) -> Sequence[Snapshot]:
        """What each of them counts, this one included, and what those that are gone counted; empty
        when they cannot be asked."""


class SingleProcess:
    """A gateway of one process."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    async def snapshots(self) -> Sequence[Snapshot]:
        return [self._snapshot()]


def states_in(
    everywhere: Snapshot, providers: Iterable[Provider], now: float
) -> Mapping[str, ProviderState]:
    """Each provider by name, as all processes together see it; where they did not tell, as this one
    does at `now`, monotonic seconds."""
    here = {state.name: state for state in provider_states(providers, now)}
    return here | {state.name: state for state in everywhere.providers}
