"""How long and how often everything is measured, so that a run is bounded."""

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of each measurement on one program; `rounds` repeats of all programs in turn, and of
    all sizes that the programs in `grown` are measured at.

    No further round of programs begins after `deadline` seconds. `evens` is how often the rate that
    is the same for all is measured in a round.
    """

    rounds: int
    warm_up: float
    closed: float
    constant: float
    evens: int
    firsts: float
    streaming: float
    deadline: float
    grown: tuple[str, ...]


FULL = Plan(
    rounds=3,
    warm_up=2,
    closed=4,
    constant=4,
    evens=3,
    firsts=2,
    streaming=3,
    deadline=20 * 60,
    grown=("Hearth", "HAProxy"),
)
QUICK = Plan(
    rounds=1,
    warm_up=1,
    closed=2,
    constant=2,
    evens=1,
    firsts=1,
    streaming=1.5,
    deadline=2 * 60,
    grown=("Hearth",),
)
