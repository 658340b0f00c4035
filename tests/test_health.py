"""Health: when a provider is out, for how long, and how it comes back."""

import math

import pytest

from gateway.config import Ejection
from gateway.routing.health import Health
from gateway.routing.health_state import Cooldown
from gateway.routing.verdict import FINE, SICK, Verdict
from gateway.units import Duration

NOW = 1000.0


def health(slow_start: float = 30, **ejection: float) -> Health:
    durations = {
        name: Duration(ejection.pop(name)) for name in ("time", "max_time") & ejection.keys()
    }
    return Health(Ejection(**ejection, **durations), slow_start)  # type: ignore[arg-type]  # both kinds


def fail(subject: Health, times: int, now: float = NOW) -> None:
    for _ in range(times):
        subject.observe(SICK, now)


def is_out(subject: Health, now: float) -> bool:
    return now < subject.out_until


def test_begins_well() -> None:
    """Nothing is out or coming back before anything happened, not even at time zero."""
    assert not is_out(health(), 0)
    assert health().returned_share(0) == 1


def test_failures_in_a_row_eject() -> None:
    """The fifth in a row puts it out for five seconds; the fourth does not."""
    subject = health()
    fail(subject, 4)
    assert not is_out(subject, NOW)
    fail(subject, 1)
    assert is_out(subject, NOW + 4.9)
    assert not is_out(subject, NOW + 5)


def test_a_success_begins_the_row_anew() -> None:
    """Four failures, a success and four failures are not five in a row."""
    subject = health()
    fail(subject, 4)
    subject.succeeded(NOW)
    fail(subject, 4)
    assert not is_out(subject, NOW)


def test_a_clients_own_fault_counts_for_nothing() -> None:
    """It neither ejects nor makes up for a failure."""
    subject = health()
    fail(subject, 4)
    for _ in range(100):
        subject.observe(FINE, NOW)
    assert not is_out(subject, NOW)
    fail(subject, 1)
    assert is_out(subject, NOW)


def test_a_share_of_failures_ejects() -> None:
    """Half of at least 20 calls within ten seconds, never in a row; 18 calls say nothing yet."""
    subject = health()
    for _ in range(9):
        subject.succeeded(NOW)
        fail(subject, 1)
    assert not is_out(subject, NOW)
    subject.succeeded(NOW)
    fail(subject, 1)
    assert is_out(subject, NOW)


def test_old_failures_are_forgotten() -> None:
    """What failed more than a window ago is no part of the share."""
    subject = health()
    for second in range(0, 100, 5):
        for _ in range(4):
            subject.succeeded(NOW + second)
            fail(subject, 1, NOW + second)
    assert not is_out(subject, NOW + 95)


def test_each_ejection_is_twice_as_long() -> None:
    """5, 10, 20 seconds and so on up to `max_time`, as long as the first call back fails."""
    subject = health(max_time=30)
    fail(subject, 5)
    now, lengths = NOW, []
    for _ in range(4):
        lengths.append(subject.out_until - now)
        now = subject.out_until
        fail(subject, 1, now)
    assert lengths == [5, 10, 20, 30]


def test_a_good_call_after_an_ejection_restores_the_rules() -> None:
    """Once a call was answered it takes five failures again, and the next one is longer still."""
    subject = health()
    fail(subject, 5)
    subject.succeeded(NOW + 5)
    fail(subject, 4, NOW + 6)
    assert not is_out(subject, NOW + 6)
    fail(subject, 1, NOW + 6)
    assert subject.out_until == NOW + 16


def test_who_is_long_back_is_no_suspect() -> None:
    """In for `max_time`, though without a call: it takes five failures again, not one."""
    subject = health(max_time=60)
    fail(subject, 5)
    fail(subject, 1, NOW + 5 + 60)
    assert not is_out(subject, NOW + 5 + 60)
    fail(subject, 4, NOW + 5 + 61)
    assert reason(subject) == "5 calls in a row failed; the last: no answer"


def test_a_good_call_from_before_proves_nothing() -> None:
    """An answer that was under way when it was ejected does not soften the return."""
    subject = health()
    fail(subject, 5)
    subject.succeeded(NOW + 1)
    fail(subject, 1, NOW + 5)
    assert is_out(subject, NOW + 5)


def test_failures_from_before_an_ejection_are_forgotten() -> None:
    """Calls that were under way when it was ejected, and fail then, count for nothing once it is
    back: after a good call it takes five failures again."""
    subject = health()
    fail(subject, 50)
    subject.succeeded(NOW + 5)
    fail(subject, 4, NOW + 6)
    assert not is_out(subject, NOW + 6)
    fail(subject, 1, NOW + 6)
    assert reason(subject) == "5 calls in a row failed; the last: no answer"


def test_failures_while_out_make_it_no_longer() -> None:
    """Calls that were under way end as they do; the ejection's length is fixed when it begins."""
    subject = health()
    fail(subject, 50)
    assert (subject.out_until, subject.ejections) == (NOW + 5, 1)


def test_ejections_are_forgotten_after_a_long_good_time() -> None:
    """In for `max_time` since the last one: the next is short again."""
    subject = health(max_time=60)
    fail(subject, 5)
    subject.succeeded(NOW + 5)
    later = NOW + 5 + 60
    fail(subject, 5, later)
    assert subject.out_until == later + 5


def test_a_pause_is_heeded_and_bounded() -> None:
    """As long as the provider asks, at most `max_time`; it is no ejection."""
    subject = health(max_time=60)
    subject.observe(Verdict(is_trouble=True, pause=7), NOW)
    assert (subject.out_until, subject.ejections) == (NOW + 7, 0)
    subject.pause(86400, NOW)
    assert subject.out_until == NOW + 60
    subject.pause(1, NOW)
    assert subject.out_until == NOW + 60


def test_two_bad_probes_in_a_row_put_it_out_for_good() -> None:
    """One is an accident; after two it stays out until a good one."""
    subject = health()
    subject.probed(False, NOW)
    subject.probed(True, NOW)
    subject.probed(False, NOW)
    assert not is_out(subject, NOW)
    subject.probed(False, NOW)
    assert (subject.is_down, subject.out_until) == (True, math.inf)
    assert subject.returned_share(NOW + 1e9) == 0
    subject.probed(True, NOW + 100)
    assert not is_out(subject, NOW + 100)


def test_a_good_probe_does_not_end_an_ejection() -> None:
    """The list of models may answer where calls do not."""
    subject = health()
    subject.probed(False, NOW)
    subject.probed(False, NOW)
    fail(subject, 5)
    subject.pause(50, NOW)
    subject.probed(True, NOW + 1)
    assert subject.out_until == NOW + 50


@pytest.mark.parametrize(("away", "ramp"), [(2, 2), (20, 20), (300, 30)])
def test_users_come_back_over_the_slow_start(away: float, ramp: float) -> None:
    """Evenly from the end of its absence, over `slow_start`, or over as long as it was away."""
    subject = health(slow_start=30)
    subject.pause(away, NOW)
    back = NOW + away
    shares = [subject.returned_share(back + ramp * part) for part in (-0.5, 0, 0.25, 0.5, 1, 2)]
    assert shares == pytest.approx([0, 0, 0.25, 0.5, 1, 1])


def test_a_relapse_begins_the_slow_start_anew() -> None:
    """A short pause while users come back does not bring the rest of them back at once."""
    subject = health(slow_start=30)
    subject.pause(100, NOW)
    subject.pause(1, NOW + 110)
    assert subject.returned_share(NOW + 111) == 0
    assert subject.recovered_at == NOW + 111 + 30


def test_no_slow_start() -> None:
    """With 0 seconds all users are back at once."""
    subject = health(slow_start=0)
    fail(subject, 5)
    assert subject.returned_share(NOW + 4.9) == 0
    assert subject.returned_share(NOW + 5) == 1


def test_others_hear_of_a_hold() -> None:
    """What one process makes of its calls holds in another, from and until the same moment."""
    here, there = health(), health()
    here.on_cooldown = there.apply
    fail(here, 5)
    here.pause(60, NOW + 1)
    assert there.state() == here.state()
    assert (there.out_since, there.out_until, there.ejections) == (NOW, NOW + 61, 1)
    assert (here.ejected, there.ejected) == (1, 0)
    fail(there, 1, NOW + 61)
    assert there.ejections == 2


def test_two_holds_at_once() -> None:
    """Two processes that eject it before they hear of each other come to agree."""
    first, second = health(), health()
    told: list[Cooldown] = []
    first.on_cooldown = second.on_cooldown = told.append
    fail(first, 5, NOW)
    fail(second, 5, NOW + 0.25)
    second.apply(told[0])
    first.apply(told[1])
    assert first.state() == second.state()
    assert (first.out_since, first.ejections) == (NOW, 1)


def test_a_new_process_goes_on_where_others_are() -> None:
    """Out, coming back or down, and as long the next time."""
    before, after = health(), health()
    fail(before, 5)
    before.probed(good=False, now=NOW)
    before.probed(good=False, now=NOW)
    after.restore(before.state())
    for subject in (before, after):
        subject.probed(good=True, now=NOW + 2)
        fail(subject, 1, NOW + 6)
    assert after.state() == before.state()
    assert after.ejections == 2


def reason(subject: Health) -> str:
    """Of the last cooldown."""
    assert subject.last_cooldown is not None
    return subject.last_cooldown.reason


def test_why_it_is_left_alone() -> None:
    """The last hold says its reason in words, whatever began it."""
    subject = health()
    fail(subject, 5, NOW)
    assert reason(subject) == "5 calls in a row failed; the last: no answer"
    subject.observe(SICK._replace(cause="status 401"), NOW + 6)
    assert reason(subject) == "it was just back and failed again; the last: status 401"
    subject.pause(7, NOW + 8)
    assert reason(subject) == "it asked to be left alone for 7 s"
    for _ in range(2):
        subject.probed(good=False, now=NOW + 9)
    assert reason(subject) == "2 probes in a row failed"


def test_a_share_of_failures_says_how_many() -> None:
    """Half of the calls of a window, and not one after the other."""
    subject = health()
    for _ in range(10):
        subject.succeeded(NOW)
        fail(subject, 1)
    assert reason(subject) == "10 of 20 calls in 10 s failed; the last: no answer"
