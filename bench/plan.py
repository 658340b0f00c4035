"""How long and how often everything is measured, so that a run is bounded."""

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of each measurement on one program; `rounds` repeats of all programs in turn.

    No further round begins after `deadline` seconds. `grown` names the programs whose growth is
    measured too.
    """

    rounds: int
    warm_up: float
    closed: float
    constant: float
    firsts: float
    streaming: float
    deadline: float
    grown: tuple[str, ...]


FULL = Plan(
    rounds=2,
    warm_up=2,
    closed=4,
    constant=4,
    firsts=2,
    streaming=3,
    deadline=15 * 60,
    grown=("Hearth", "HAProxy"),
)
QUICK = Plan(
    rounds=1,
    warm_up=1,
    closed=2,
    constant=2,
    firsts=1,
    streaming=1.5,
    deadline=2 * 60,
    grown=("Hearth",),
)
