"""What the benchmark was to reach is told as it came out."""

from collections.abc import Sequence

from bench import goals, table
from bench.plan import QUICK
from bench.results import Floor, Machine, Pass, Point, Results, Step, Subject
from bench.stand import Constant, Requests


def passed(cpu: float, p99: float | None) -> Pass:
    """A round without streams."""
    requests = Requests(rate=1e6 / cpu, user=cpu, system=0, busy=1, errors=0)
    even = Constant(offered=1, p50=1, p99=p99, cpu=1) if p99 else None
    half = Constant(offered=1, p50=1, p99=9, cpu=1)
    return Pass(requests=requests, half=half, resident=1, even=even)


def results(cpu: dict[str, Sequence[Pass]], growth: Sequence[Point] = ()) -> Results:
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
    """A ratio within the limit is reached; one beyond says how far beyond."""
    found = results(
        {
            "Hearth": [passed(40, 2.0), passed(44, 3.0), passed(30, 4.0)],
            "HAProxy": [passed(10, 1.0)],
            "vLLM router": [passed(200, None)],
        }
    )
    assert goals.rows(found) == [
        ("CPU per request, against HAProxy", "2.20 x", "4.00 x", "missed, 1.82 times the limit"),
        ("CPU per request, against vLLM router", "1/2.50", "1/5.00", "reached"),
        ("p99 at the same rate, against HAProxy", "3.00 x", "3.00 x", "reached"),
    ]
    assert all(len(row) == len(goals.COLUMNS) for row in goals.rows(found))


def test_growth() -> None:
    """Only Hearth's own growth counts, from the first size to the last."""
    points = [
        Point(program=name, dimension="users", size=size, cpu=cpu, resident=0)
        for name, size, cpu in (("Hearth", 1, 10.0), ("Hearth", 1_000_000, 12.0), ("nginx", 1, 1.0))
    ]
    (row,) = goals.rows(results({}, points))
    assert row[1:] == ("1.10 x", "1.20 x", "missed, 1.09 times the limit")


def test_what_was_not_measured() -> None:
    """No goal is told of without both of its sides."""
    assert goals.rows(results({"Hearth": [passed(40, None)]})) == []
    assert table.step_rows(results({"Hearth": [passed(40, None)]}))
