"""How cost grows: providers, users, bodies and streams, one of them at a time."""

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product

from bench.load import LoadError
from bench.plan import Plan
from bench.program import Absent, Program
from bench.results import Point
from bench.stand import Stand, stand

PROVIDERS = (3, 10, 30, 100)
USERS = (1, 1_000, 1_000_000)
BODIES = (1_000, 10_000, 100_000, 1_000_000)
STREAMS = (1, 100, 1_000, 10_000)

DIMENSIONS = ("providers", "users", "body bytes", "streams")

_FEW = 3
_USERS = 10_000
_BODY = 150
_CHUNKS_A_SECOND = 10_000
_SPARE_FILES = 300


def grow(
    programs: Sequence[Program],
    upstreams: Sequence[int],
    plan: Plan,
    progress: Callable[[str], None],
) -> list[Point]:
    """The points of every program in every round; what cannot be measured is left out.

    `progress` is told each step, `plan.rounds` for a program and a dimension.
    """
    points: list[Point] = []
    steps = product(range(1, plan.rounds + 1), programs, _MEASURES.items())
    for number, program, (dimension, measure) in steps:
        progress(f"{program.name}, more {dimension}, round {number} of {plan.rounds}")
        try:
            points += list(measure(program, upstreams, plan))  # all of a round, or none
        except (Absent, LoadError) as error:
            print(f"{program.name}, more {dimension}: {error}", file=sys.stderr)  # noqa: T201
    return points


def most_streams() -> int:
    """Streams that a process may have open here, at two sockets each."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (hard - _SPARE_FILES) // 2


def _providers(program: Program, upstreams: Sequence[int], plan: Plan) -> Iterator[Point]:
    for size in PROVIDERS:
        with stand(program, upstreams[:size]) as running:
            yield _point(program, "providers", size, running, plan)


def _users(program: Program, upstreams: Sequence[int], plan: Plan) -> Iterator[Point]:
    for size in USERS:
        with stand(program, upstreams[:_FEW]) as running:
            yield _point(program, "users", size, running, plan, users=size)


def _bodies(program: Program, upstreams: Sequence[int], plan: Plan) -> Iterator[Point]:
    for size in BODIES:
        with stand(program, upstreams[:_FEW]) as running:
            yield _point(program, "body bytes", size, running, plan, body=size)


def _streams(program: Program, upstreams: Sequence[int], plan: Plan) -> Iterator[Point]:
    """About as many chunks a second however many streams they come from."""
    for wanted in STREAMS:
        size = min(wanted, most_streams())
        every = max(1, size * 1000 // _CHUNKS_A_SECOND)
        with stand(program, upstreams[:_FEW]) as running:
            found = running.streaming(size, every, plan.streaming)
            yield Point(
                program=program.name,
                dimension="streams",
                size=found.streams,
                cpu=found.cpu,
                resident=found.resident,
            )


def _point(
    program: Program,
    dimension: str,
    size: int,
    running: Stand,
    plan: Plan,
    body: int = _BODY,
    users: int = _USERS,
) -> Point:
    found = running.requests(1, plan.streaming, body, users)
    return Point(
        program=program.name,
        dimension=dimension,
        size=size,
        cpu=found.cpu,
        resident=running.resident(),
    )


_MEASURES: dict[str, Callable[[Program, Sequence[int], Plan], Iterator[Point]]] = dict(
    zip(DIMENSIONS, (_providers, _users, _bodies, _streams), strict=True)
)
