"""The test stand: one program between the load and the mock provider, and what it costs."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from bench import traffic
from bench.accounting import Cpu, cpu_time, resident
from bench.load import Load, LoadError, await_ready
from bench.ports import free_ports
from bench.processes import cores, running, tail
from bench.program import Absent, Launch, Program, Site

STREAMS = 100
"""Streams at once where the cost of a chunk is measured, ENDLESS chunks each."""

ENDLESS = 10_000_000
EVERY = 10
"""Milliseconds between two chunks of a stream."""

_START = 60.0
_REST = 0.3
_IDLE = 0.03
_LONGEST_REST = 120.0


class Requests(msgspec.Struct, frozen=True):
    """A closed load: requests per second, CPU µs for each, and the share of its core it had.

    `beside`: CPU µs of the server that the program has beside it.
    """

    rate: float
    user: float
    system: float
    busy: float
    errors: int
    beside: float = 0.0

    @property
    def cpu(self) -> float:
        return self.user + self.system


class Constant(msgspec.Struct, frozen=True, kw_only=True):
    """A load of `offered` requests a second: milliseconds, and CPU µs for each request."""

    offered: float
    p50: float
    p99: float
    cpu: float


class Streaming(msgspec.Struct, frozen=True):
    """Open streams: chunks per second, CPU µs for each, memory with and without, in bytes."""

    rate: float
    user: float
    system: float
    streams: int
    resident: int
    resident_before: int

    @property
    def cpu(self) -> float:
        return self.user + self.system


class Stand:
    """A program that runs, and the measurements to be made on it."""

    def __init__(
        self,
        load: Load,
        pid: int,
        fields: tuple[str, ...],
        beside: int | None = None,
        is_done: Callable[[], bool] = lambda: True,
    ) -> None:
        self.load = load
        self._pid = pid
        self._fields = fields
        self._beside = beside
        self._is_done = is_done

    def requests(self, warm_up: float, seconds: float, size: int, users: int) -> Requests:
        """The closed load, after a warm-up; the work it leaves behind counts."""
        template = self.chat(size)
        self.load.closed(template, warm_up, users)
        self._rest()
        before, beside = cpu_time(self._pid), self._used_beside()
        answered = self.load.closed(template, seconds, users)
        busy = (cpu_time(self._pid) - before).total / answered.seconds
        self._rest()
        if not answered.requests:
            raise LoadError(f"no request was answered, {answered.errors} failed")
        used, beside = cpu_time(self._pid) - before, self._used_beside() - beside
        each = 1e6 / answered.requests
        return Requests(
            rate=answered.rate,
            user=used.user * each,
            system=used.system * each,
            busy=busy,
            errors=answered.errors,
            beside=beside.total * each,
        )

    def constant(self, rate: float, seconds: float, size: int, users: int) -> Constant:
        """So many requests a second; the work they leave behind counts."""
        before = cpu_time(self._pid)
        found = self.load.constant(self.chat(size), rate, seconds, users)
        self._rest()
        cpu = (cpu_time(self._pid) - before).total * 1e6 / max(1, found.answered)
        return Constant(offered=rate, p50=found.p50, p99=found.p99, cpu=cpu)

    def streaming(self, streams: int, every: int, seconds: float) -> Streaming:
        """Many streams, counted once all have begun."""
        resident_before = resident(self._pid)
        template = traffic.stream(ENDLESS, every, self._fields)
        with self.load.streams(template, streams, seconds) as load:
            begun = load.begun()
            before = cpu_time(self._pid)
            resident_now = resident(self._pid)
            found = load.chunks()
            used = cpu_time(self._pid) - before
        if not found.chunks:
            raise LoadError("no chunk came")
        each = 1e6 / found.chunks
        return Streaming(
            rate=found.chunks / found.seconds,
            user=used.user * each,
            system=used.system * each,
            streams=begun,
            resident=resident_now,
            resident_before=resident_before,
        )

    def chat(self, size: int = 150) -> bytes:
        """The template of a chat call to this program."""
        return traffic.chat(size, self._fields)

    def short_stream(self) -> bytes:
        """The template of a stream of few chunks."""
        return traffic.stream(10, 1, self._fields)

    def resident(self) -> int:
        """Bytes of memory now."""
        return resident(self._pid)

    def _used_beside(self) -> Cpu:
        return Cpu() if self._beside is None else cpu_time(self._beside)

    def _rest(self) -> None:
        """Wait until the program has done what it does after an answer, such as its accounts."""
        wait_until_idle(lambda: cpu_time(self._pid), self._is_done)


def wait_until_idle(used: Callable[[], Cpu], is_done: Callable[[], bool]) -> None:
    """Return when less than a few percent of a core is used and nothing waits; LoadError when that
    takes minutes."""
    until, last = time.monotonic() + _LONGEST_REST, used()
    while time.monotonic() < until:
        time.sleep(_REST)
        now = used()
        if (now - last).total < _IDLE * _REST and is_done():
            return
        last = now
    raise LoadError(f"still at work {_LONGEST_REST:g} s after the last answer")


@contextmanager
def direct(upstreams: Sequence[int]) -> Iterator[Stand]:
    """No program at all: the load straight at the first provider, the floor of every latency."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name:
        load = Load(upstreams[0], cores()[1], Path(name))
        yield Stand(load, 0, ())


@contextmanager
def stand(program: Program, upstreams: Sequence[int]) -> Iterator[Stand]:
    """`program`, started afresh in front of these providers. Raises Absent when it does not run."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name:
        ports = free_ports()
        site = Site(Path(name), next(ports), next(ports), tuple(upstreams))
        launch = program.launch(site)
        own_core, other_core = cores()
        log = site.folder / "program.log"
        with (
            _beside(program.beside(site), other_core, site.folder) as beside,
            running(launch.command, own_core, log, launch.env) as process,
        ):
            load = Load(site.port, other_core, site.folder)
            is_done = partial(program.is_done, site)
            ready = Stand(load, process.pid, program.fields(site), beside, is_done)
            try:
                await_ready(load, ready.chat(), _START)
            except LoadError as error:
                raise Absent(f"does not answer: {error}; {tail(log)}") from error
            yield ready


@contextmanager
def _beside(launch: Launch | None, core: int, folder: Path) -> Iterator[int | None]:
    """The process id of what a program has beside it, None where it needs nothing.

    It gives way to the load on the core that they share, or the load would come late.
    """
    if launch is None:
        yield None
        return
    with running(
        ("chrt", "--idle", "0", *launch.command), core, folder / "beside.log", launch.env
    ) as process:
        yield process.pid
