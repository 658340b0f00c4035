"""The benchmark's own arithmetic: what its numbers rest on."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from bench import table, traffic
from bench.accounting import Cpu, cpu_time, resident
from bench.clients.constant import Load, open_timer
from bench.clients.exchange import Answer
from bench.plan import QUICK
from bench.processes import allow_all_files
from bench.program import Absent, Site
from bench.programs import PROGRAMS
from bench.programs.hearth import HEARTH_SQLITE
from bench.results import Floor, Pass, Point, Subject
from bench.rounds import compare
from bench.spread import Spread, percentile
from bench.stand import Constant, Requests, Streaming, wait_until_idle
from gateway.config import Retention
from gateway.ledger.journal import Journal
from gateway.ledger.opening import open_store
from tests.parts.generations import generation, records
from tests.parts.rlimits import few_files

FLOOR = Floor(offered=1000, p50=0.1, p99=0.2, first_chunk=0.25)
BUSY_CHILD = """
import subprocess, sys, time
work = "import time\\nwhile time.process_time() < 0.2: pass"
subprocess.run([sys.executable, "-c", work])
child = subprocess.Popen([sys.executable, "-c", work + "\\nprint(flush=True)\\ntime.sleep(60)"])
child.wait()
"""


def passed(cpu: float, busy: float = 1.0) -> Pass:
    """A round in which a request took `cpu` µs."""
    return Pass(
        requests=Requests(rate=1e6 / cpu, user=cpu / 2, system=cpu / 2, busy=busy, errors=0),
        half=Constant(offered=500, p50=1.5, p99=12.34, cpu=60),
        resident=50 * 1024 * 1024,
        first_chunk=0.75,
        streaming=Streaming(
            rate=100, user=4, system=10, streams=100, resident=1, resident_before=1
        ),
    )


def subject(*passes: Pass) -> Subject:
    """A program with these rounds."""
    return Subject(name="it", origin="here", does="nothing", passes=list(passes))


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (99, 99), (100, 100), (0.5, 1)])
def test_percentile_is_a_measured_value(percent: float, expected: int) -> None:
    """The nearest rank: of 1 to 100 in any order, the p-th percentile is p."""
    assert percentile(list(range(100, 0, -1)), percent) == expected


def test_percentile_of_nothing() -> None:
    """There is no percentile of no value, and no made-up one."""
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_spread_keeps_the_extremes() -> None:
    """A spread is the median, the lowest and the highest of the rounds."""
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(median=2.0, low=1.0, high=3.0)


def test_cpu_of_a_process_counts_its_descendants() -> None:
    """CPU time holds that of a child that runs and of one that ended and was waited for."""
    command = [sys.executable, "-c", BUSY_CHILD]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    with ended(process) as pid:
        assert cpu_time(pid).total >= 0.38
        assert resident(pid) > 2 * 4 * 1024 * 1024


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """The pid once the process printed a line; ended with its child."""
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_cpu_of_a_process_that_is_gone() -> None:
    """A process that ended used nothing that can still be counted."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert cpu_time(process.pid) == Cpu()


def test_as_many_files_as_it_may() -> None:
    """Thousands of streams are not stopped by the number of open files that a shell begins with."""
    with few_files():
        allow_all_files()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard > 512


def test_waiting_until_idle_ends_with_the_work() -> None:
    """The wait goes on while CPU is used, or something waits for a slow store, and then ends."""
    readings = iter([Cpu(1.0), Cpu(2.0), Cpu(3.0), Cpu(3.0), Cpu(3.0), Cpu(9.0)])
    waiting = iter([False, True])
    wait_until_idle(lambda: next(readings), lambda: next(waiting))
    assert next(readings) == Cpu(9.0)
    assert next(waiting, None) is None


def test_hearth_is_done_when_all_is_shipped(tmp_path: Path) -> None:
    """The last record of each journal decides, which the store has or not."""
    site = Site(tmp_path, 1, 2, ())
    journal = Journal(tmp_path / "journal")
    assert HEARTH_SQLITE.is_done(site)
    some = [generation(number) for number in range(1, 40)]
    journal.append_all(some)
    assert not HEARTH_SQLITE.is_done(site)

    async def ship(count: int) -> None:
        store = await open_store(f"sqlite:{tmp_path}/hearth.db", Retention())
        await store.apply(records(*some[:count], writer=journal.writer))
        await store.close()

    asyncio.run(ship(38))
    assert not HEARTH_SQLITE.is_done(site)
    asyncio.run(ship(39))
    assert HEARTH_SQLITE.is_done(site)


def test_every_user_makes_a_request_of_the_same_length() -> None:
    """A template has the body size asked for, and its Content-Length holds for every user."""
    template = traffic.chat(1000)
    first, last = (
        template.replace(traffic.USER.encode(), traffic.user_number(n)) for n in (0, 9_999_999)
    )
    head, _, body = last.partition(b"\r\n\r\n")
    assert len(first) == len(last)
    assert len(body) == 1000
    assert b"\r\nContent-Length: 1000" in head


def test_a_stream_says_what_it_wants_of_the_mock_provider() -> None:
    """The order stands in the prompt, which every gateway passes on."""
    assert b'"Write 10 chunks, one every 5 ms."' in traffic.stream(10, 5)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    ],
)
def test_an_answer_is_complete_with_its_last_byte(raw: bytes) -> None:
    """However an answer is split, the last byte and no earlier one completes it."""
    answer = Answer()
    assert [answer.feed(raw[i : i + 1]) for i in range(len(raw))].index(True) == len(raw) - 1


def test_an_error_is_no_answer() -> None:
    """The load stops at the first answer that is not a 200: errors are cheap to give."""
    with pytest.raises(ConnectionError, match=r"not a 200: HTTP/1\.1 503 Service"):
        Answer().feed(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")


def test_the_timer_keeps_its_rate() -> None:
    """A timer at 2,000 a second has expired about 200 times after a tenth of a second."""
    before = time.monotonic()
    timer = open_timer(2000)
    opened = time.monotonic()
    time.sleep(0.1)
    asked = time.monotonic()
    expired = int.from_bytes(os.read(timer, 8), sys.byteorder)
    answered = time.monotonic()
    os.close(timer)
    assert 2000 * (asked - opened) - 2 <= expired <= 2000 * (answered - before) + 2


def test_waiting_counts() -> None:
    """At a constant rate a request that finds no connection free is late by its whole wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        slow = threading.Thread(target=answer_slowly, args=(server, 4, 0.05))
        slow.start()
        load = Load(server.getsockname()[1], traffic.chat(), users=1, connections=1)
        asked = load.run(rate=1000, seconds=0.004)
        slow.join()
    load.close()
    assert asked == 4
    assert max(load.latencies) >= 190


def answer_slowly(server: socket.socket, requests: int, seconds: float) -> None:
    """Take `seconds` for each request of one connection."""
    connection, _ = server.accept()
    with connection:
        for _ in range(requests):
            connection.recv(65536)
            time.sleep(seconds)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123"), (4.567, "4.57"), (45.67, "45.7"), (99.96, "100"), (14230.4, "14,230")],
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    """A table shows no digit that the measurement does not carry."""
    assert table.number(value) == text


def test_a_row_has_medians_and_the_spread_of_the_rounds() -> None:
    """CPU comes with its lowest and highest round, the first chunk without what the load takes."""
    (row,) = table.rows([subject(passed(30), passed(20), passed(25))], FLOOR)
    shown = dict(zip(table.COLUMNS, row, strict=True))
    assert shown["µs CPU / request"] == "25.0 (20.0 to 30.0)"
    assert shown["first chunk + ms"] == "0.500"
    assert shown["resident MiB"] == "50.0"


def test_a_rate_that_the_load_limited_says_so() -> None:
    """Where the program's core was not busy its rate is a lower bound."""
    (limited,) = table.rows([subject(passed(20, busy=0.9))], FLOOR)
    (full,) = table.rows([subject(passed(20, busy=0.99))], FLOOR)
    assert (limited[3], full[3]) == ("≥ 50,000", "50,000")


def test_a_rate_that_is_too_high_in_some_round() -> None:
    """The figures at the rate for all would be those of a program's better rounds alone."""
    asked = msgspec.structs.replace(passed(20), even=[Constant(offered=3, p50=1, p99=9, cpu=60)])
    for rounds, shown in (((asked, asked), ("9.00", "60.0")), ((asked, passed(500)), ("-", "-"))):
        (row,) = table.rows([subject(*rounds)], FLOOR)
        found = dict(zip(table.COLUMNS, row, strict=True))
        assert (found["p99 ms at 3,000/s"], found["µs CPU at 3,000/s"]) == shown


def test_an_absent_program_keeps_its_row() -> None:
    """What cannot be installed is in the table, with the reason."""

    def install() -> str:
        raise Absent("no such package")

    program = msgspec.structs.replace(PROGRAMS[0], install=install)
    subjects = compare([program], [], QUICK, lambda step: None)
    (row,) = table.rows(subjects, FLOOR)
    assert row[:2] == ("Hearth", "absent: no such package")
    assert len(row) == len(table.COLUMNS)


def test_growth_has_a_row_for_each_size_and_a_column_for_each_program() -> None:
    """A size that a program was not measured at stays empty."""
    points = [
        Point(program=name, dimension="users", size=size, cpu=cpu, resident=0)
        for name, size, cpu in (("a", 1000, 2.0), ("a", 1, 1.0), ("b", 1, 3.0))
    ]
    columns, rows = table.growth_rows(points, "users")
    assert columns == ("users", "a", "b")
    assert rows == [("1", "1.00", "3.00"), ("1,000", "2.00", "-")]
