"""Fill a ledger with a month of calls, then ask it everything and say how long that took.

`python -m bench.sizes --store sqlite:FILE|redis://... [--users N] [--generations M]`
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence

import msgspec

from bench.screen import show_table
from bench.sizes.filling import KEPT, fill
from bench.sizes.people import DAYS, FIRST_DAY, month
from bench.sizes.questions import Ask, questions
from bench.sizes.weight import bytes_of
from gateway.ledger.opening import open_store
from gateway.ledger.store import Store

_TIMES = 9


class Filled(msgspec.Struct, frozen=True):
    """What filling took: microseconds of this process's CPU and of the clock a generation, bytes a
    generation, and how many days with a call the users have together."""

    cpu: float
    clock: float
    bytes: float
    user_days: int


def main() -> int:
    """Run the measurement of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizes", description=__doc__)
    parser.add_argument("--store", required=True, metavar="URL", help="an empty ledger's address")
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--generations", type=int, default=5_000_000)
    arguments = parser.parse_args()
    asyncio.run(_measure(arguments.store, arguments.users, arguments.generations))
    return 0


async def _measure(url: str, users: int, generations: int) -> None:
    store = await open_store(url, KEPT)
    try:
        filled = await _fill(store, url, users, generations)
        show_table(("filling", ""), _rows(filled, users, generations))
        timed = [(name, f"{await _median(store, ask):.1f}") for name, ask in questions()]
        show_table(("question", "ms"), timed)
    finally:
        await store.close()


async def _fill(store: Store, url: str, users: int, generations: int) -> Filled:
    cpu, clock = await fill(store, month(users, generations), generations)
    active = await store.active_users(FIRST_DAY, FIRST_DAY + DAYS, None)
    return Filled(
        cpu=cpu / generations * 1e6,
        clock=clock / generations * 1e6,
        bytes=await bytes_of(url) / generations,
        user_days=sum(active.values()),
    )


def _rows(filled: Filled, users: int, generations: int) -> Sequence[Sequence[str]]:
    return (
        ("users", f"{users:,}"),
        ("generations", f"{generations:,}"),
        ("user-days", f"{filled.user_days:,}"),
        ("bytes a generation, all told", f"{filled.bytes:,.0f}"),
        ("µs CPU a generation", f"{filled.cpu:.1f}"),
        ("µs a generation", f"{filled.clock:.1f}"),
    )


async def _median(store: Store, ask: Ask) -> float:
    taken = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        await ask(store)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e3


if __name__ == "__main__":
    sys.exit(main())
