"""How a mock provider misbehaves, as written after `--fail`.

    faults = fault *("," fault)
    fault  = kind [":" share]
    kind   = an HTTP status from 400 to 599, answered with an error body
           | "cut"      the connection closes halfway through the answer
           | "hang"     nothing is ever answered
           | "refuse"   the connection is reset before anything is answered
           | "garbage"  the answer is not HTTP
    share  = the part of all requests it happens to, above 0 and up to 1; without it, all of them

`429:0.1,cut:0.05` turns every tenth request away, cuts every twentieth answer, and serves the rest.
"""

from collections.abc import Sequence
from random import Random
from typing import Annotated, Literal

import msgspec

Breakage = Literal["cut", "hang", "refuse", "garbage"]
"""What can happen to the connection."""


class Fault(msgspec.Struct, frozen=True):
    """`kind`: a status or a breakage; `share` of the requests meets it."""

    kind: Annotated[int, msgspec.Meta(ge=400, le=599)] | Breakage
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0


def parse_faults(text: str) -> tuple[Fault, ...]:
    """The faults written in `text`, none when it is empty; ValueError says what is expected."""
    faults = tuple(_parse_fault(part.strip()) for part in text.split(",")) if text else ()
    if sum(fault.share for fault in faults) > 1 + 1e-9:
        raise ValueError(f"The shares in `{text}` add up to more than 1")
    return faults


def _parse_fault(text: str) -> Fault:
    kind, colon, share = text.partition(":")
    fields = {"kind": int(kind) if kind.isdecimal() else kind, "share": share if colon else 1.0}
    try:
        return msgspec.convert(fields, Fault, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(
            "Expected a status, `cut`, `hang`, `refuse` or `garbage`, with or without a share, "
            f"such as `503` or `429:0.1`; found `{text}`"
        ) from error


class FaultPlan:
    """Which request meets which fault: the same ones in every run with the same seed."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._faults = tuple(faults)
        self._dice = Random(seed)

    def replace(self, faults: Sequence[Fault]) -> None:
        """Misbehave like this from the next request on."""
        self._faults = tuple(faults)

    def draw(self) -> int | Breakage | None:
        """What goes wrong with the next request, if anything."""
        point = self._dice.random()
        for fault in self._faults:
            point -= fault.share
            if point < 0:
                return fault.kind
        return None
