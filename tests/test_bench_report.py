"""docs/benchmarks.md, as half an hour of measuring is written down."""

from pathlib import Path

import msgspec

from bench import growth, report
from bench.results import Point, Results
from tests.test_bench_goals import passed, results

GROWN = [
    Point(program="Hearth", dimension=dimension, size=size, cpu=size / 10 + 20, resident=1)
    for dimension in growth.DIMENSIONS
    for size in (10, 100)
]


def test_a_page(tmp_path: Path) -> None:
    """It has a table and a plot of everything measured, and the raw results lie beside it."""
    found = results({"Hearth": [passed(40), passed(41), passed(42)], "nginx": [passed(20)]}, GROWN)
    report.write(found, tmp_path, most=15_000)
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| Hearth | 41.0 (40.0 to 42.0) |" in page
    assert "at most 15,000 requests/s" in page
    assert page.count("| 100 | 30.0 |") == len(growth.DIMENSIONS)
    beside = tmp_path / "benchmarks"
    raw = (beside / "results.json").read_bytes()
    assert msgspec.json.decode(raw, type=Results) == found
    plots = {path.stem for path in beside.glob("*.svg")}
    assert plots == {"cpu", *(name.replace(" ", "-") for name in growth.DIMENSIONS)}


def test_a_program_with_fewer_rounds(tmp_path: Path) -> None:
    """The page says so, and why: its figures are medians of less than the others'."""
    found = results({"Hearth": [passed(40), passed(41)], "nginx": [passed(20)]}, GROWN)
    found.subjects[1].absent = "the time was over"
    report.write(found, tmp_path, most=15_000)
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| nginx | - |  |  | only 1 round: the time was over |" in page


def test_growth_that_nobody_was_measured_at(tmp_path: Path) -> None:
    """What could not be measured, such as many streams where few files may be open, is left out."""
    some = [each for each in GROWN if each.dimension != "streams"]
    report.write(results({"Hearth": [passed(40)]}, some), tmp_path, most=15_000)
    page = (tmp_path / "benchmarks.md").read_text()
    plots = {path.name for path in (tmp_path / "benchmarks").glob("*.svg")}
    assert ("users.svg" in plots, "benchmarks/users.svg" in page) == (True, True)
    assert ("streams.svg" in plots, "benchmarks/streams.svg" in page) == (False, False)
