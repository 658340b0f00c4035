"""Bar charts as SVG: drawn by pygal, coloured by the pages' stylesheet.

What the Content-Security-Policy forbids and a page does not need is taken out: pygal's styles,
script and tooltips. A bar's title says what it stands for.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal
from xml.etree.ElementTree import Comment, Element, SubElement

import msgspec
import pygal
from markupsafe import Markup
from pygal.style import Style

from gateway.dashboard.formats import count, money, money_tick

_COLOURS = 8
"""How many series the stylesheet tells apart."""

REST = "Others"
"""The series of all that have no colour of their own."""

_FRACTION = re.compile(r"(\d+\.\d)\d+")
_STYLE = Style(label_font_size=15, major_label_font_size=15)
_STEPS = 5
"""On the scale, at most."""

_MARGIN = 8
_LETTER = 8
"""Units of width, plenty, as a label must not touch the next one."""

_STRIDES = (1, 2, 3, 4, 6, 8, 12, 24)
"""Every how many bars there is a label: so that of hours the same ones have it each day."""


class Unit(msgspec.Struct, frozen=True):
    """How a value is written: as the title of a bar, and beside a scale of equal steps."""

    text: Callable[[int], str]
    tick: Callable[[int, int], str]


MONEY = Unit(money, money_tick)
"""Nano-dollars."""

NUMBER = Unit(count, lambda value, step: count(value))


class Size(msgspec.Struct, frozen=True):
    """Units of the drawing; about as many pixels where there is room. `scale`: the side that its
    numbers are on, which is the one a phone shows first."""

    width: int
    height: int
    scale: Literal["left", "right"]


WIDE = Size(1140, 260, "right")
HALF = Size(550, 200, "left")


class Series(msgspec.Struct, frozen=True):
    """One colour of bars: what it is called, and a value for each label."""

    name: str
    values: Sequence[int]


class _Bars(pygal.StackedBar):  # type: ignore[misc]  # pygal has no types
    """Draws nothing where there is nothing: pygal's own makes a bar of each zero."""

    _adapters: ClassVar[Sequence[object]] = ()


def coloured(names: Sequence[str]) -> Sequence[str]:
    """Those that get a colour of their own; the last colour is for all the others together."""
    return names if len(names) <= _COLOURS else names[: _COLOURS - 1]


async def draw_bars(
    title: str, labels: Sequence[str], series: Sequence[Series], unit: Unit, size: Size = WIDE
) -> Markup:
    """Bars on top of each other, one stack a label; there is a series, and no negative value.

    Drawn in a thread of its own: the largest take a tenth of a second, and calls go on meanwhile.
    """
    return await asyncio.to_thread(_draw, title, labels, series, unit, size)


def _draw(
    title: str, labels: Sequence[str], series: Sequence[Series], unit: Unit, size: Size
) -> Markup:
    highest = max(map(sum, zip(*(each.values for each in series), strict=True)))
    ticks, far = _ticks(highest), _overhang(labels, size.width)
    chart = _Bars(
        style=_STYLE,
        css=(),
        js=(),
        width=size.width,
        height=size.height,
        margin=_MARGIN,
        margin_right=far,
        spacing=4,
        show_legend=False,
        disable_xml_declaration=True,
        x_labels=list(labels),
        x_labels_major_every=_stride(labels, size.width),
        show_minor_x_labels=False,
        y_labels=[{"value": each, "label": unit.tick(each, ticks.step)} for each in ticks],
        value_formatter=unit.text,
        truncate_label=-1,
    )
    for each in series:
        chart.add(each.name, [value or None for value in each.values])
    if size.scale == "right":
        chart.add_xml_filter(lambda root: _mirrored(root, size.width, far))
    chart.add_xml_filter(lambda root: _bare(root, title, [each.name for each in series]))
    return Markup(chart.render())  # escaped by pygal's XML


def _ticks(highest: int) -> range:
    """From 0 to `highest` or above it in equal steps: 1, 2 or 5 times a power of ten."""
    least = max(1, -(-highest // _STEPS))
    power = 10 ** (len(str(least)) - 1)
    step = next(first * power for first in (1, 2, 5, 10) if first * power >= least)
    return range(0, highest + step, step)


def _stride(labels: Sequence[str], width: int) -> int:
    """Every how many bars a label fits below."""
    room = max(map(len, labels)) * _LETTER + _LETTER
    return next((each for each in _STRIDES if len(labels) * room <= each * width), len(labels))


def _overhang(labels: Sequence[str], width: int) -> int:
    """By how much a label may be wider than its bar, to either side."""
    return max(0, round(max(map(len, labels)) * _LETTER - width / len(labels)) // 2)


def _mirrored(root: Element, width: int, far: int) -> Element:
    """Move the scale to the right, and the bars to where it was; `far` is the room across from the
    scale."""
    plot = next(each for each in root.iter() if each.get("class") == "plot")
    plot.set("transform", f"translate({far}, {_MARGIN})")
    for number in plot.iterfind("./*[@class='axis y always_show']/*/text"):
        number.set("x", str(width - far - _MARGIN))
    return root


def _bare(root: Element, title: str, names: Sequence[str]) -> Element:
    """Keep the drawing alone, each bar with a title."""
    for parent in list(root.iter()):
        for child in [child for child in parent if not _is_drawn(child)]:
            parent.remove(child)
    for number, name in enumerate(names):
        for bar in root.iterfind(f".//*[@class='series serie-{number} color-{number}']/*/*"):
            _entitle(bar, name)
    for element in root.iter():
        _shorten(element)
    root.attrib.pop("id", None)
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-label", title)
    return root


def _is_drawn(element: Element) -> bool:
    """Whether it is seen, and not a style, a script, a comment or a tooltip."""
    if element.tag in (Comment, "defs", "title"):
        return False
    return "overlay" not in element.get("class", "")


def _entitle(bar: Element, name: str) -> None:
    found = {each.get("class"): each.text or "" for each in bar.iterfind("desc")}
    for each in bar.findall("desc"):
        bar.remove(each)
    parts = (found.get("x_label", ""), name, found.get("value", ""))
    SubElement(bar, "title").text = " · ".join(part for part in parts if part)


def _shorten(element: Element) -> None:
    """Leave out what is not used; a tenth of a unit is finer than anyone sees."""
    for name in ("rx", "ry"):
        element.attrib.pop(name, None)
    if element.tag == "rect" and "tooltip-trigger" in element.get("class", ""):
        element.set("class", "rect")
    for name in ("x", "y", "width", "height", "d", "transform"):
        if name in element.attrib:
            element.set(name, _FRACTION.sub(r"\1", element.attrib[name]))
