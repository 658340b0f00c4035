"""What an entry notes, and the record that comes of it."""

import time
from itertools import pairwise

import msgspec

from gateway.calls.call import Call, EndUser
from gateway.calls.endpoint import Target, parse_target
from gateway.calls.head import Head
from gateway.calls.request import Request
from gateway.config import ModelPrice, Provider
from gateway.errors import BadRequest, ConnectFailed
from gateway.generation import Attempt, Flag, Generation, Usage
from gateway.metering.meter import open_meter
from gateway.pricing.prices import Prices
from gateway.proxy.entry import Entry

PRICE = ModelPrice(input=2, output=4, cached_input=1)
PRICES = Prices([Provider(name="b", base_url="https://b.example", prices={"upstream": PRICE})])
FIELDS = [
    (b"User-Agent", b"agent/1"),
    (b"HTTP-Referer", b"https://app.example"),
    (b"X-Title", b"App"),
]
ANSWER = {
    "id": "chatcmpl-1",
    "choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 10},
}
FLAG = Flag("some", "flag")


def target() -> Target:
    found = parse_target("/v1/chat/completions")
    assert found is not None
    return found


def open_entry(records: list[Generation], at: float | None = None) -> Entry:
    head = Head("POST", "/v1/chat/completions", FIELDS)
    started = time.monotonic() if at is None else at
    request = Request(head=head, body=b"{}", peer="192.0.2.1", received_at=17, started=started)
    return Entry("gen-1", request, target(), PRICES, records.append)


def answer(entry: Entry, call: Call) -> None:
    """A second provider answers, after a first that did not."""
    entry.tenant, entry.call, entry.model = "team", call, "asked"
    entry.flags, entry.moved_from = (FLAG,), "c"
    entry.attempt("a", "home", "other", time.monotonic())
    entry.attempt_failed(ConnectFailed("no way"))
    entry.attempt("b", "failover", "upstream", time.monotonic())
    entry.attempt_answered(200)
    entry.status, entry.meter = 200, open_meter(call, 200, [], b"{}")
    entry.meter.feed(msgspec.json.encode(ANSWER))
    entry.meter.finish()


def test_everything_is_in_its_place() -> None:
    """Each field of a record says what it is named after."""
    records: list[Generation] = []
    entry = open_entry(records, at=time.monotonic() - 2)
    user = EndUser("ada", "body.user")
    call = Call(
        endpoint=target().endpoint, tenant="team", user=user, session_id="session", model="first"
    )
    answer(entry, call)
    entry.settle("ok")
    [record] = records
    assert 2000 <= (record.first_byte_ms or 0) <= record.latency_ms < 60_000
    assert [each.latency_ms for each in record.attempts] == [0, 0]
    [refusal] = record.flags[1:]
    assert refusal.type == "provider_refusal"
    assert record == Generation(
        id="gen-1",
        created_at=17,
        tenant="team",
        endpoint="chat/completions",
        status=200,
        outcome="ok",
        api_type="completions",
        user="ada",
        user_source="body.user",
        session_id="session",
        model="asked",
        upstream_model="upstream",
        provider="b",
        route="failover",
        upstream_id="chatcmpl-1",
        streamed=False,
        finish_reason="content_filter",
        latency_ms=record.latency_ms,
        first_byte_ms=record.first_byte_ms,
        usage=Usage(1000, 10),
        cost=2_040_000,
        cache_discount=0,
        moved_from="c",
        move_cost=1_000_000,
        attempts=(
            Attempt("a", "other", None, "connect: no way"),
            Attempt("b", "upstream", 200),
        ),
        flags=(FLAG, refusal),
        error=None,
        peer="192.0.2.1",
        user_agent="agent/1",
        referer="https://app.example",
        title="App",
    )


def test_only_the_first_end_counts() -> None:
    """Each place that sees an end may say so; one record comes of it, and it does not change."""
    records: list[Generation] = []
    entry = open_entry(records)
    entry.settle("cancelled")
    entry.settle_error(BadRequest("too late"))
    [record] = records
    assert (record.outcome, record.status, record.error) == ("cancelled", 499, None)


def test_a_refused_request_has_no_provider() -> None:
    """What never went anywhere used and cost nothing, and says why."""
    records: list[Generation] = []
    open_entry(records).settle_error(BadRequest("no model"))
    [record] = records
    assert (record.outcome, record.status, record.error) == ("refused", 400, "no model")
    assert (record.provider, record.usage, record.cost, record.attempts) == (None, Usage(), 0, ())


def test_a_client_that_left_has_sent_its_prompt() -> None:
    """Once a provider was asked, the prompt is counted, by estimate."""
    records: list[Generation] = []
    for asks in (False, True):
        entry = open_entry(records)
        if asks:
            entry.attempt("b", "home", "upstream", time.monotonic())
        entry.settle("cancelled")
    assert [each.usage for each in records] == [Usage(), Usage(1, estimated=True)]


def test_times_are_whole_milliseconds() -> None:
    """Latency is told to the nearest, and grows with time."""
    records: list[Generation] = []
    now = time.monotonic()
    for ago in (0.0, 0.4, 1.6):
        open_entry(records, at=now - ago).settle("cancelled")
    assert all(b.latency_ms - a.latency_ms >= 400 for a, b in pairwise(records))


def test_the_first_byte_is_that_of_the_provider_on_record() -> None:
    """An answer that was passed over, as the next provider was to be tried, tells nothing of it."""
    records: list[Generation] = []
    entry = open_entry(records)
    entry.attempt("a", "home", None, time.monotonic())
    entry.attempt_answered(503)
    entry.attempt("b", "failover", None, time.monotonic())
    entry.attempt_failed(ConnectFailed("no way"))
    entry.settle("failed")
    assert (records[0].provider, records[0].first_byte_ms) == ("b", None)
