"""The comparison: every program in turn, again and again, each started afresh on its own."""

import time
from collections.abc import Callable, Sequence

import msgspec

from bench.load import LoadError
from bench.plan import Plan
from bench.program import Absent, Program
from bench.results import Floor, Pass, Subject
from bench.stand import EVERY, STREAMS, Stand, direct, stand

USERS = 10_000
BODY = 150
MOST = 15_000
"""Requests a second that the constant load can be trusted with on half a core."""

EVEN = 3_000
"""The rate of the one constant load that is the same for every program."""

_SLOW = 2_000  # a program below so many requests a second gets fewer chunks, or it answers none
_SLOW_EVERY = 500


def compare(
    programs: Sequence[Program],
    upstreams: Sequence[int],
    plan: Plan,
    progress: Callable[[str], None],
) -> list[Subject]:
    """A subject for every program; `progress` is told each step, `plan.rounds` for a program."""
    deadline = time.monotonic() + plan.deadline
    subjects = [Subject(name=p.name, origin=p.origin, does=p.does, passes=[]) for p in programs]
    for number in range(plan.rounds):
        for program, subject in zip(programs, subjects, strict=True):
            progress(f"{program.name}, round {number + 1} of {plan.rounds}")
            if time.monotonic() > deadline:
                subject.absent = subject.absent or "the time was over"
            elif subject.absent is None:
                _add_pass(program, subject, upstreams, plan)
    return subjects


def measure_floor(upstreams: Sequence[int], plan: Plan) -> Floor:
    """The same latencies without a program."""
    with direct(upstreams) as bare:
        found = bare.load.constant(bare.chat(BODY), MOST, plan.constant, USERS)
        first = bare.load.firsts(bare.short_stream(), plan.firsts)
    return Floor(offered=MOST, p50=found.p50, p99=found.p99, first_chunk=first.p50)


def _add_pass(program: Program, subject: Subject, upstreams: Sequence[int], plan: Plan) -> None:
    try:
        subject.version = subject.version or program.install()
        with stand(program, upstreams) as running:
            requests = _requests(running, plan)
            try:
                done = _with_streams(requests, running, plan)
            except LoadError as error:
                done, subject.note = requests, f"does not stream here: {error}"
            subject.passes.append(done)
    except (Absent, LoadError) as error:
        subject.absent = str(error)


def _requests(running: Stand, plan: Plan) -> Pass:
    requests = running.requests(plan.warm_up, plan.closed, BODY, USERS)
    half = running.constant(min(requests.rate / 2, MOST), plan.constant, BODY, USERS)
    evens = plan.evens if requests.rate >= 2 * EVEN else 0
    even = [running.constant(EVEN, plan.constant, BODY, USERS) for _ in range(evens)]
    return Pass(requests=requests, half=half, even=even, resident=running.resident())


def _with_streams(done: Pass, running: Stand, plan: Plan) -> Pass:
    first = running.load.firsts(running.short_stream(), plan.firsts)
    every = EVERY if done.requests.rate > _SLOW else _SLOW_EVERY
    streaming = running.streaming(STREAMS, every, plan.streaming)
    return msgspec.structs.replace(done, first_chunk=first.p50, streaming=streaming)
