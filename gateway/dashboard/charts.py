"""Bar charts as SVG: drawn by pygal, coloured by the pages' stylesheet.

What the Content-Security-Policy forbids and a page does not need is taken out: pygal's styles,
script and tooltips. A bar's title says what it stands for.
"""

import re
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Comment, Element, SubElement

import msgspec
import pygal
from markupsafe import Markup
from pygal.style import Style

_FRACTION = re.compile(r"(\d+\.\d)\d+")
_STYLE = Style(label_font_size=11, major_label_font_size=11)
COLOURS = 8
"""How many series the stylesheet tells apart."""

_LABELS = 12
"""About as many fit below the bars."""


class Series(msgspec.Struct, frozen=True):
    """One colour of bars: what it is called, and a value for each label."""

    name: str
    values: Sequence[float]


def draw_bars(
    title: str, labels: Sequence[str], series: Sequence[Series], text: Callable[[float], str]
) -> Markup:
    """Bars on top of each other, one stack a label; `text` writes a value."""
    chart = pygal.StackedBar(
        style=_STYLE,
        css=(),
        js=(),
        width=960,
        height=240,
        margin=8,
        max_scale=5,
        spacing=4,
        show_legend=False,
        disable_xml_declaration=True,
        x_labels=[str(label) for label in labels],
        x_labels_major_every=max(1, -(-len(labels) // _LABELS)),
        show_minor_x_labels=False,
        value_formatter=text,
        truncate_label=-1,
    )
    for each in series:
        chart.add(each.name, list(each.values))
    chart.add_xml_filter(lambda root: _bare(root, title, [each.name for each in series]))
    return Markup(chart.render())  # escaped by pygal's XML


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
    """Whether it is seen, and not a style, a script, a comment, a tooltip or an empty bar."""
    if element.tag in (Comment, "defs", "title"):
        return False
    if element.get("class") == "bar":
        return any(float(each.get("height", "0")) > 0 for each in element.iterfind("rect"))
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
