"""What the benchmark was to reach is told as it came out."""

from collections.abc import Mapping, Sequence

import msgspec

from bench import goals, obstacles, table
from bench.medians import even_p99, median_costs
from bench.plan import QUICK
from bench.results import Floor, Machine, Pass, Point, Results, Step, Subject
from bench.stand import Constant, Requests, Streaming


def passed(cpu: float, *p99: float) -> Pass:
    """A round without streams."""
    requests = Requests(rate=1e6 / cpu, user=cpu, system=0, busy=1, errors=0)
    even = [Constant(offered=1, p50=1, p99=each, cpu=1) for each in p99]
    half = Constant(offered=1, p50=1, p99=9, cpu=1)
    return Pass(requests=requests, half=half, resident=1, even=even)


def streamed(cpu: float, user: float, system: float) -> Pass:
    """A round whose chunks took so much of each."""
    chunks = Streaming(rate=1, user=user, system=system, streams=1, resident=1, resident_before=1)
    return msgspec.structs.replace(passed(cpu), streaming=chunks)


def results(cpu: Mapping[str, Sequence[Pass]], growth: Sequence[Point] = ()) -> Results:
    """A run of these programs."""
    return Results(
        machine=Machine(processor="it", cores=2, kernel="6", python="3"),
        plan=QUICK,
        date="2026-01-01",
        floor=Floor(offered=1, p50=1, p99=1, first_chunk=1),
        subjects=[
            Subject(name=name, origin="", does="", passes=list(passes))
            for name, passes in cpu.items()
        ],
        growth=growth,
        steps=[Step("it", 1)],
    )


def test_reached_and_missed() -> None:
    """The median of the rounds' ratios decides; one beyond the limit says how far beyond."""
    found = results(
        {
            "Hearth": [passed(40, 2.0), passed(44, 3.0), passed(30, 4.0)],
            "HAProxy": [passed(10, 1.0), passed(20, 1.0), passed(10, 1.0)],
            "vLLM router": [passed(200)],
        }
    )
    assert goals.rows(found) == [
        (
            "CPU per request, against HAProxy",
            "2.20 x",
            "3.00 x (2.20 x to 4.00 x)",
            "missed by 37 %",
        ),
        ("CPU per request, against vLLM router", "1/2.50", "1/5.00", "reached"),
        (
            "p99 at the same rate, against HAProxy",
            "3.00 x",
            "3.00 x (2.00 x to 4.00 x)",
            "reached",
        ),
    ]
    assert all(len(row) == len(goals.COLUMNS) for row in goals.rows(found))


def test_one_burst_does_not_decide() -> None:
    """Of the measurements at the rate for all the one in the middle is a round's."""
    assert even_p99(passed(40, 9.0, 1.0, 2.0)) == 2.0
    assert even_p99(passed(40)) is None


def test_growth_is_the_median_of_its_rounds() -> None:
    """Each size of each program has its own median, whatever the order of the rounds."""
    points = [
        Point(program=name, dimension="users", size=size, cpu=cpu, resident=0)
        for name, size, cpu in [
            ("a", 1, 3.0),
            ("b", 1, 9.0),
            ("a", 2, 5.0),
            ("a", 1, 2.0),
            ("a", 1, 7.0),
        ]
    ]
    costs = {("users", "a", 1): 3.0, ("users", "b", 1): 9.0, ("users", "a", 2): 5.0}
    assert median_costs(points) == costs


def test_growth() -> None:
    """Only Hearth's own growth counts, from the first size to the last."""
    points = [
        Point(program=name, dimension="users", size=size, cpu=cpu, resident=0)
        for name, size, cpu in (("Hearth", 1, 10.0), ("Hearth", 1_000_000, 12.0), ("nginx", 1, 1.0))
    ]
    (row,) = goals.rows(results({}, points))
    assert row[1:] == ("1.10 x", "1.20 x", "missed by 10 %")


def test_what_was_not_measured() -> None:
    """No goal is told of without both of its sides."""
    assert goals.rows(results({"Hearth": [passed(40)]})) == []
    assert table.step_rows(results({"Hearth": [passed(40)]}))


def test_obstacles() -> None:
    """They are told in the run's figures, and not of programs that were not measured."""
    growth = [
        Point(program="HAProxy", dimension=dimension, size=size, cpu=cpu, resident=0)
        for dimension, size, cpu in (
            ("providers", 3, 10.0),
            ("providers", 100, 12.5),
            ("users", 1, 10.0),
            ("users", 1_000_000, 9.0),
        )
    ]
    cpu = {"Hearth": [passed(30)], "vLLM router": [passed(50)], "nginx": [passed(16)]}
    router, growing = obstacles.paragraphs(results(cpu, growth)).split("\n\n")
    assert "would be 20.0 µs" in router
    assert "Of Hearth's 30.0" in router
    assert "cost is 1.25 x" in growing
    assert "users 1/1.11" in growing
    assert obstacles.paragraphs(results({"Hearth": [streamed(30, 6, 13)]})) == ""


def test_where_a_chunk_takes_its_time() -> None:
    """The kernel's part and the program's own, of Hearth and of those it is compared with."""
    found = {
        "Hearth": [streamed(30, 6.25, 13), streamed(30, 6, 14), streamed(30, 7, 13.5)],
        "vLLM router": [streamed(50, 5.5, 12)],
        "nginx": [streamed(16, 3, 12.5)],
    }
    chunk = obstacles.paragraphs(results(found)).split("\n\n")[1].replace("\n", " ")
    assert "the kernel takes 13.5 µs in Hearth, 12.0 in the vLLM router and 12.5 in nginx" in chunk
    assert "Their own code takes 6.25, 5.50 and 3.00." in chunk
