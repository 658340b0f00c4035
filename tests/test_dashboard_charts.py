"""Charts: SVG that a strict page may contain, and bars that say what they are."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from gateway.api.helicone.histogram import PERCENTILES
from gateway.dashboard.charts import HALF, MONEY, NUMBER, WIDE, Series, Size, draw_bars
from gateway.dashboard.users.parts import draw_requests
from gateway.dashboard.users.spreads import QUARTERS, cost_bars, kept, request_bars
from gateway.ledger.counts import Counts
from gateway.ledger.results import ActivityRow
from gateway.ledger.spread import Bar

EVIL = "<script>alert(1)</script>&\"'"


async def draw(names: list[str]) -> ElementTree.Element:
    series = [Series(name, [10**9, 2 * 10**9, 0]) for name in names]
    svg = await draw_bars(f"Cost {EVIL}", ["Nov 1", "Nov 2", "Nov 3"], series, MONEY)
    return ElementTree.fromstring(svg)


async def test_nothing_that_a_strict_policy_forbids() -> None:
    """No style, no script, no handler: only shapes, whose colours the stylesheet knows."""
    root = await draw(["a", EVIL])
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "rect", "path", "text", "title"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}


async def test_bars_say_what_they_are() -> None:
    """Each has a title of its label, series and value, whatever the name contains."""
    root = await draw(["a", EVIL])
    titles = [element.text for element in root.iter() if element.tag.endswith("title")]
    assert f"Nov 2 · {EVIL} · $2.0000" in titles
    assert root.attrib["aria-label"] == f"Cost {EVIL}"


async def test_as_many_providers_as_come() -> None:
    """Every request of a user is in the chart, those of providers without a colour as `Others`."""
    for providers in (1, 8, 9, 12):
        rows = [
            ActivityRow(day=day, model="m", provider=f"p{n:02}", counts=Counts(requests=n))
            for n in range(1, providers + 1)
            for day in (20_000, 20_001)
        ]
        chart = await draw_requests(rows, 20_000, 20_001)
        assert chart is not None
        root = ElementTree.fromstring(chart)
        bars = [each.text or "" for each in root.iter() if each.tag.endswith("title")]
        assert len({bar.split(" · ")[1] for bar in bars}) == min(providers, 8)
        assert sum(int(bar.split(" · ")[2]) for bar in bars) == sum(
            row.counts.requests for row in rows
        )
        assert any("Others" in bar for bar in bars) == (providers > 8)


@pytest.mark.parametrize("days", [1, 92])
async def test_the_scale_is_where_the_latest_bars_are(days: int) -> None:
    """Of a chart of days, its numbers stand to the right of all bars, and within the drawing."""
    labels = [str(day) for day in range(days)]
    svg = await draw_bars("title", labels, [Series("one", [10**13] * days)], MONEY)
    root = ElementTree.fromstring(svg)
    plot = next(each for each in root.iter() if each.get("class") == "plot")
    axis = next(each for each in plot if each.get("class") == "axis y always_show")
    texts = [each for each in axis.iter() if each.tag.endswith("text")]
    starts = [float(each.attrib["x"]) - 8 * len(each.text or "") for each in texts]
    bars = [each for each in plot.iter() if each.get("class") == "rect"]
    ends = [float(each.attrib["x"]) + float(each.attrib["width"]) for each in bars]
    (left,) = re.findall(r"translate\((\d+),", plot.attrib["transform"])
    assert max(ends) <= min(starts)
    assert {float(each.attrib["x"]) + int(left) for each in texts} == {WIDE.width - 8}


async def test_the_largest_chart_stays_small() -> None:
    """Eight series of 92 days are below 110 KB, a month of them below 40 KB."""
    series = [Series(f"series {n}", [n * day for day in range(92)]) for n in range(8)]
    svg = await draw_bars("title", [str(day) for day in range(92)], series, NUMBER)
    assert len(svg) < 110_000


SOME = [Bar(0, 1, 50), Bar(1, 2, 25), Bar(2, 3, 20), Bar(10, 20, 4), Bar(100, 200, 1)]


@pytest.mark.parametrize(
    ("highest", "shown"),
    [
        (1, ["0", "1"]),
        (2, ["0", "1", "2"]),
        (11, ["0", "5", "10", "15"]),
        (100, ["0", "20", "40", "60", "80", "100"]),
        (999_999, ["0", "200,000", "400,000", "600,000", "800,000", "1,000,000"]),
    ],
)
async def test_scale(highest: int, shown: list[str]) -> None:
    """Round steps from 0 to the highest bar or above it, each written once."""
    svg = await draw_bars("title", ["a"], [Series("one", [highest])], NUMBER)
    root = ElementTree.fromstring(svg)
    axis = next(each for each in root.iter() if each.get("class") == "axis y always_show")
    assert [each.text for each in axis.iter() if each.tag.endswith("text")] == shown


@pytest.mark.parametrize("size", [WIDE, HALF])
@pytest.mark.parametrize("count", [1, 12, 30, 92])
@pytest.mark.parametrize("letters", [5, 13, 15])
async def test_labels_do_not_touch(size: Size, count: int, letters: int) -> None:
    """Those that are shown have room, at seven units a letter."""
    labels = [f"{number:0{letters}}" for number in range(count)]
    svg = await draw_bars("title", labels, [Series("one", [1] * count)], NUMBER, size)
    root = ElementTree.fromstring(svg)
    axis = next(each for each in root.iter() if each.get("class") == "axis x")
    texts = [each for each in axis.iter() if each.tag.endswith("text")]
    places = [float(each.attrib["x"]) for each in texts if each.get("class") != "minor"]
    assert places
    assert all(b - a > 7 * letters for a, b in pairwise(places))


def test_percentiles_cut_the_tail() -> None:
    """Bars up to the one that holds the percentile are kept."""
    counts = {name: len(kept(SOME, (0.0, part))) for name, part in PERCENTILES.items()}
    assert counts == {"p50": 1, "p75": 2, "p95": 3, "p99": 4, "p99.9": 5}


def test_interquartile() -> None:
    """Only bars with a user between the first and the last quarter."""
    assert kept(SOME, QUARTERS) == SOME[:2]
    assert kept([Bar(0, 1, 1), Bar(1, 2, 2), Bar(2, 3, 1)], QUARTERS) == [Bar(1, 2, 2)]


async def test_spread_of_nobody() -> None:
    """No users, no chart."""
    assert await request_bars([], QUARTERS) is None
    assert await cost_bars([], QUARTERS) is None


async def test_labels_of_bars() -> None:
    """Requests as a range, cost from its lower end in dollars."""
    requests = await request_bars([Bar(3, 4, 1), Bar(10, 20, 2)], (0.0, 1.0))
    cost = await cost_bars([Bar(0, 1, 1), Bar(20_000_000, 30_000_000, 2)], (0.0, 1.0))
    assert requests is not None
    assert "10\u201319 · users · 2" in requests
    assert cost is not None
    assert "$0.02+ · users · 2" in cost
