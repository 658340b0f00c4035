"""Charts: SVG that a strict page may contain, and bars that say what they are."""

from xml.etree import ElementTree

from gateway.dashboard.charts import Series, draw_bars
from gateway.dashboard.spreads import PERCENTILES, QUARTERS, cost_bars, kept, request_bars
from gateway.ledger.store import Bar

EVIL = "<script>alert(1)</script>&\"'"


def draw(names: list[str]) -> ElementTree.Element:
    series = [Series(name, [1.0, 2.0, 0.0]) for name in names]
    svg = draw_bars(f"Cost {EVIL}", ["Nov 1", "Nov 2", "Nov 3"], series, lambda n: f"${n:.2f}")
    return ElementTree.fromstring(svg)


def test_nothing_that_a_strict_policy_forbids() -> None:
    """No style, no script, no handler: only shapes, whose colours the stylesheet knows."""
    root = draw(["a", EVIL])
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "rect", "path", "text", "title"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name == "style" or name.startswith("on")}


def test_bars_say_what_they_are() -> None:
    """Each has a title of its label, series and value, whatever the name contains."""
    root = draw(["a", EVIL])
    titles = [element.text for element in root.iter() if element.tag.endswith("title")]
    assert f"Nov 2 · {EVIL} · $2.00" in titles
    assert root.attrib["aria-label"] == f"Cost {EVIL}"


def test_the_largest_chart_stays_small() -> None:
    """Eight series of 92 days are below 110 KB, a month of them below 40 KB."""
    series = [Series(f"series {n}", [n * day for day in range(92)]) for n in range(8)]
    svg = draw_bars("title", [str(day) for day in range(92)], series, str)
    assert len(svg) < 110_000


SOME = [Bar(0, 1, 50), Bar(1, 2, 25), Bar(2, 3, 20), Bar(10, 20, 4), Bar(100, 200, 1)]


def test_percentiles_cut_the_tail() -> None:
    """Bars up to the one that holds the percentile are kept."""
    counts = {name: len(kept(SOME, (0.0, part))) for name, part in PERCENTILES.items()}
    assert counts == {"p50": 1, "p75": 2, "p95": 3, "p99": 4, "p99.9": 5}


def test_interquartile() -> None:
    """Only bars with a user between the first and the last quarter."""
    assert kept(SOME, QUARTERS) == SOME[:2]
    assert kept([Bar(0, 1, 1), Bar(1, 2, 2), Bar(2, 3, 1)], QUARTERS) == [Bar(1, 2, 2)]


def test_spread_of_nobody() -> None:
    """No users, no chart."""
    assert request_bars([], QUARTERS) is None
    assert cost_bars([], QUARTERS) is None


def test_labels_of_bars() -> None:
    """Requests as a range, cost from its lower end in dollars."""
    requests = request_bars([Bar(3, 4, 1), Bar(10, 20, 2)], (0.0, 1.0))
    cost = cost_bars([Bar(0, 1, 1), Bar(20_000_000, 30_000_000, 2)], (0.0, 1.0))
    assert requests is not None
    assert "10\u201319 · users · 2" in requests
    assert cost is not None
    assert "$0.02+ · users · 2" in cost
