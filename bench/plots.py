"""Plots as SVG, on logarithmic scales: the programs lie a thousandfold apart."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pygal
from pygal.style import CleanStyle

Series = Mapping[str, Sequence[tuple[float, float]]]
"""Name of a line -> its points."""


def plot_bars(path: Path, title: str, bars: Mapping[str, float]) -> None:
    """A horizontal bar for each name, the first at the top."""
    upwards = list(bars.items())[::-1]
    marks = _decades(bars.values())
    chart = pygal.HorizontalBar(
        title=title, show_legend=False, print_values=True, y_labels=marks, **_common(marks)
    )
    chart.x_labels = [name for name, _ in upwards]
    chart.add("", [round(value, 1) for _, value in upwards])
    chart.render_to_file(str(path))


def plot_lines(path: Path, title: str, lines: Series) -> None:
    """A line for each name, both axes logarithmic."""
    marks = _decades(y for points in lines.values() for _, y in points)
    sizes = sorted({x for points in lines.values() for x, _ in points})
    chart = pygal.XY(title=title, y_labels=marks, **_common(marks))
    chart.x_value_formatter = lambda size: f"{size:,.0f}"
    chart.x_labels = sizes
    for name, points in lines.items():
        chart.add(name, [(x, round(y, 2)) for x, y in points])
    chart.render_to_file(str(path))


def _decades(values: Iterable[float]) -> list[int]:
    """Powers of ten from 1 to above the highest value."""
    marks, highest = [1], max(values, default=1)
    while marks[-1] < highest:
        marks.append(marks[-1] * 10)
    return marks


def _common(marks: Sequence[int]) -> dict[str, object]:
    return {
        "style": CleanStyle,
        "width": 800,
        "height": 400,
        "js": (),
        "logarithmic": True,
        "range": (marks[0], marks[-1]),
        "zero": marks[0],
        "disable_xml_declaration": True,
        "pretty_print": True,
    }
