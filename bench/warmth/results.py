"""The records of docs/warmth/simulation.json."""

from collections.abc import Sequence

import msgspec

from bench.results import Machine
from bench.warmth.backend import Hardware
from bench.warmth.crowd import BatchRow
from bench.warmth.sockets import Confirmation
from bench.warmth.study import Plan, Row
from bench.warmth.variations import Variation


class Workload(msgspec.Struct, frozen=True):
    """What the calls of the comparison are in numbers; `tokens` of all prompts."""

    calls: int
    users: int
    conversations: int
    tokens: int


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One run of `python -m bench.warmth`. `took`: seconds; `speed`: of the sockets' clock."""

    date: str
    machine: Machine
    took: float
    plan: Plan
    hardware: Hardware
    workload: Workload
    rows: Sequence[Row]
    variations: Sequence[Variation]
    batch: Sequence[BatchRow]
    speed: float
    confirmations: Sequence[Confirmation]
