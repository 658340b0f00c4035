"""Putting very many calls into a store."""

import time
from collections.abc import Iterator
from itertools import islice

from bench.screen import progress
from gateway.config import Retention
from gateway.generation import Record
from gateway.ledger.parcel import parcels
from gateway.ledger.store import Store
from gateway.units import Duration

KEPT = Retention(generations=Duration(1e10), activity=Duration(1e10))
"""The calls may be long past: what is kept for less, Redis would forget as it comes."""

_BATCH = 5000


async def fill(store: Store, records: Iterator[Record], count: int) -> tuple[float, float]:
    """Apply `count` records; the seconds of this process's CPU and of the clock that took."""
    cpu = clock = 0.0
    with progress(-(-count // _BATCH)) as step:
        for batch in _batches(records):
            step(f"{batch[-1].sequence:,} generations")
            started, used = time.perf_counter(), time.process_time()
            await store.apply(parcels(batch))
            clock += time.perf_counter() - started
            cpu += time.process_time() - used
    return cpu, clock


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    while batch := list(islice(records, _BATCH)):
        yield batch
