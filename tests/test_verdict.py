"""What an answer says about its provider: whose fault it is, and what becomes of the call."""

import pytest

from gateway.config import Provider
from gateway.routing.verdict import FINE, SICK, Verdict, judge, retry_after
from tests.parts.pools import settings

OURS = settings("a", models=("m",), api_key="sk-1")
THEIRS = settings("a", models=("m",))
ANY_MODEL = settings("a", api_key="sk-1")
WALL = 1_700_000_000.0
BUSY = Verdict(is_trouble=True)


def verdict(status: int, provider: Provider = OURS, *fields: tuple[bytes, bytes]) -> Verdict:
    return judge(status, list(fields), provider, "m", WALL)


@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 403, 405, 408, 409, 413, 422, 501])
def test_fine_or_the_clients_own_fault(status: int) -> None:
    """No other provider is tried, and this one is not blamed."""
    assert verdict(status) is FINE


@pytest.mark.parametrize("status", [401, 402, 500, 502, 503, 504, 520, 524])
def test_sick(status: int) -> None:
    """The provider's fault: the next one is tried and this one blamed."""
    assert verdict(status) == SICK._replace(cause=f"status {status}")


@pytest.mark.parametrize("status", [429, 529])
def test_busy(status: int) -> None:
    """The next one is tried; busy is not sick."""
    assert verdict(status) == BUSY._replace(cause=f"status {status}")


@pytest.mark.parametrize("status", [401, 402])
def test_a_clients_own_key(status: int) -> None:
    """Where the client's key is passed on, its refusal is about the client."""
    assert verdict(status, THEIRS) is FINE


@pytest.mark.parametrize("status", [401, 402])
def test_an_address_that_the_key_is_not_for(status: int) -> None:
    """What a provider's key may not do beside calling models says nothing about its health."""
    assert judge(status, [], OURS, None, WALL) is FINE


def test_a_clients_own_limit_keeps_nobody_else_away() -> None:
    """429 on a client's key sends that call on, and no pause follows from it."""
    assert verdict(429, THEIRS, (b"Retry-After", b"60")).pause == 0


def test_an_unknown_model() -> None:
    """404 sends the call on only for a model the provider is configured to serve."""
    assert judge(404, [], OURS, "m", WALL) == Verdict(is_trouble=True)
    assert judge(404, [], OURS, None, WALL) is FINE
    assert judge(404, [], ANY_MODEL, "m", WALL) is FINE


def test_a_pause_is_asked_for() -> None:
    """`Retry-After` of a busy or a sick provider becomes a pause."""
    field = (b"retry-after", b"7")
    assert verdict(429, OURS, field) == BUSY._replace(pause=7, cause="status 429")
    assert verdict(503, THEIRS, field) == SICK._replace(pause=7, cause="status 503")
    assert verdict(400, OURS, field) is FINE


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"0", 0),
        (b"120", 120),
        (b"9" * 5000, 999_999_999),
        (b"Tue, 14 Nov 2023 22:13:50 GMT", 30),
        (b"Tue, 14 Nov 2023 22:13:50 -0000", 30),
        (b"Tue, 14 Nov 2023 22:13:00 GMT", 0),
        (b"soon", 0),
        (b"-5", 0),
        (b"1.5", 0),
        (b"", 0),
        (b"\xb2", 0),
    ],
)
def test_retry_after(value: bytes, seconds: float) -> None:
    """Seconds or a date, RFC 9110 section 10.2.3; anything else is no wish at all."""
    assert retry_after([(b"X", b"1"), (b"RETRY-AFTER", value)], WALL) == seconds


def test_no_retry_after() -> None:
    """Absent, it asks for nothing."""
    assert retry_after([], WALL) == 0


@pytest.mark.parametrize(
    "value",
    [
        b"Mon, 01 Jan 99999999999999 00:00:00 GMT",
        b"Mon, 99999999999999999999 Jan 2024 00:00:00 GMT",
        b"1 Jan 2024 99999999999999:00:00 GMT",
        b"1 Jan 2024 00:00:00 +99999999999999999999",
    ],
)
def test_a_date_beyond_all_numbers(value: bytes) -> None:
    """A moment that no clock can show is no `Retry-After`; the answer is judged all the same."""
    assert verdict(503, OURS, (b"retry-after", value)).pause == 0
