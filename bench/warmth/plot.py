"""Plots as SVG on linear scales: shares over time, and shares side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pygal
from pygal.style import CleanStyle

_COMMON = {
    "style": CleanStyle,
    "width": 800,
    "height": 400,
    "js": (),
    "disable_xml_declaration": True,
    "pretty_print": True,
    "range": (0, 100),
}


def plot_over_time(
    path: Path,
    title: str,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    marks: Mapping[str, float],
) -> None:
    """Per name (seconds, share); `marks` are moments with a name, drawn from top to bottom."""
    chart = pygal.XY(title=title, x_title="minutes", dots_size=1, truncate_legend=-1, **_COMMON)
    for name, points in lines.items():
        chart.add(name, [(at / 60, round(100 * share, 1)) for at, share in points])
    for name, at in marks.items():
        chart.add(name, [(at / 60, 0), (at / 60, 100)], stroke_style={"dasharray": "4, 4"})
    chart.render_to_file(str(path))


def plot_shares(path: Path, title: str, bars: Mapping[str, float]) -> None:
    """A horizontal bar of a share for each name, the first at the top."""
    upwards = list(bars.items())[::-1]
    chart = pygal.HorizontalBar(title=title, show_legend=False, print_values=True, **_COMMON)
    chart.x_labels = [name for name, _ in upwards]
    chart.add("", [round(100 * share, 1) for _, share in upwards])
    chart.render_to_file(str(path))
