"""Generations that are not simply fine have short lists of their own, so that they are found soon.

A generation is on one for each kind that it is of; see `unusual:TENANT:KIND` in keys.py.
"""

from gateway.ledger.queries import GenerationQuery

_FLAGGED = "flagged"


def kinds_of(status: int, outcome: str, is_flagged: bool) -> list[str]:
    """What is unusual about a generation."""
    kinds: list[str] = []
    if status != 200:
        kinds.append(str(status))
    if outcome != "ok":
        kinds.append(outcome)
    if is_flagged:
        kinds.append(_FLAGGED)
    return kinds


def kind_of(query: GenerationQuery) -> str | None:
    """The one kind that everything a query matches is of; None when there is none."""
    status = query.status
    if status is not None and status.isdecimal():
        status = None if int(status) == 200 else str(int(status))
    if status not in (None, "ok"):
        return status
    return _FLAGGED if query.flagged else None
