"""`--fail` is read as written, and the same seed fails the same requests."""

from collections import Counter

import pytest

from gateway.mock.faults import Fault, FaultPlan, parse_faults


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ()),
        ("503", (Fault(503),)),
        ("hang", (Fault("hang"),)),
        ("429:0.1", (Fault(429, 0.1),)),
        (
            "429:0.1, cut:0.05,refuse:0.25",
            (Fault(429, 0.1), Fault("cut", 0.05), Fault("refuse", 0.25)),
        ),
        ("500:0.5,garbage:0.5", (Fault(500, 0.5), Fault("garbage", 0.5))),
    ],
)
def test_faults_are_read(text: str, faults: tuple[Fault, ...]) -> None:
    """A fault is a status or a word, and may have a share."""
    assert parse_faults(text) == faults


@pytest.mark.parametrize(
    "text",
    [
        "explode",
        "cut:.5",
        "200",
        "600",
        "503:",
        "503:x",
        "429:0",
        "429:-1",
        "429:nan",
        "cut:1.1",
        "503,",
    ],
)
def test_a_fault_that_makes_no_sense_is_named(text: str) -> None:
    """The error shows what is expected, with an example, and what was found."""
    with pytest.raises(ValueError, match=r"such as `503` or `429:0.1`; found `"):
        parse_faults(text)


def test_shares_have_to_fit() -> None:
    """More than all requests cannot fail."""
    with pytest.raises(ValueError, match="add up to more than 1"):
        parse_faults("503:0.7,cut:0.7")


def test_shares_hold() -> None:
    """Over many requests each fault happens as often as its share says."""
    plan = FaultPlan(parse_faults("429:0.1,cut:0.3"), seed=1)
    counts = Counter(plan.draw() for _ in range(10_000))
    assert set(counts) == {429, "cut", None}
    assert counts[429] == pytest.approx(1000, rel=0.1)
    assert counts["cut"] == pytest.approx(3000, rel=0.1)


def test_one_seed_is_one_sequence() -> None:
    """A seed decides which requests fail; another one decides otherwise."""
    draws = [[plan.draw() for _ in range(50)] for plan in map(_plan, (3, 3, 4))]
    assert draws[0] == draws[1] != draws[2]


def test_a_plan_can_be_replaced() -> None:
    """A provider falls ill and recovers while it runs."""
    plan = FaultPlan((), seed=0)
    assert plan.draw() is None
    plan.replace(parse_faults("503"))
    assert plan.draw() == 503
    plan.replace(())
    assert plan.draw() is None


def _plan(seed: int) -> FaultPlan:
    return FaultPlan(parse_faults("503:0.5"), seed)
