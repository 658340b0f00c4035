"""Where the time goes: each step of Hearth's hot path by itself, on the request of the benchmark.

A step is called over and over on what it gets of a request; its cost is the fastest of
several runs. What the steps do not add up to is the kernel, the event loop and the coroutine.
"""

import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import traffic
from bench.redis_server import Server
from bench.results import Step
from bench.rounds import USERS
from bench.sizes.filling import KEPT
from bench.spread import percentile
from bench.upstream import CHAT_ANSWER
from gateway.app import hot_target
from gateway.calls.call import Call
from gateway.calls.endpoint import Target
from gateway.calls.reader import read_call
from gateway.calls.request import Request
from gateway.config import Config, Key, ModelPrice, Provider
from gateway.generation import Generation, Record
from gateway.keys import Keyring
from gateway.ledger.journal import Journal
from gateway.ledger.opening import open_store
from gateway.ledger.parcel import parcels
from gateway.metering.base import Meter
from gateway.metering.meter import open_meter
from gateway.policies.flags import flags_of
from gateway.pricing.prices import Prices
from gateway.proxy.entry import Entry
from gateway.proxy.ids import GenerationIds
from gateway.proxy.reply import own_headers
from gateway.proxy.rewrite import upstream_body
from gateway.routing.plan import Planner
from gateway.routing.router import Router
from gateway.wire.answer_head import answer_head
from gateway.wire.answer_parser import AnswerParser
from gateway.wire.headers import UpstreamHead, accept_encoding, client_headers
from gateway.wire.request_head import RequestHead, parse_head
from gateway.wire.upstream import Upstream
from gateway.wire.via import Via

_CALLS = 2_000
_RUNS = 7
_TURN = 28
"""Requests that end in one turn of the event loop under the comparison's load, as counted there."""

_BATCH = 250
_BATCHES = 60
_PRICE = ModelPrice(input=0.15, output=0.6, cached_input=0.075)


def measure() -> list[Step]:
    """The steps in the order of a request."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder:
        path = _Path(Path(folder))
        costs = [Step(name, _fastest(step)) for name, step in path.steps()]
        journal = Step("7 settle: append to the journal", path.journalling())
        return [*costs, journal, Step("ship it to Redis", path.shipping())]


def _fastest(step: Callable[[], object], calls: int = _CALLS) -> float:
    """Microseconds of one call."""
    runs = []
    gc.disable()
    for _ in range(_RUNS):
        started = time.perf_counter()
        for _ in range(calls):
            step()
        runs.append(time.perf_counter() - started)
    gc.enable()
    return min(runs) / calls * 1e6


class _Path:
    """One request and all that becomes of it, with the parts that handle it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        raw = traffic.chat().replace(traffic.USER.encode(), traffic.user_number(42))
        head, _, self._body = raw.partition(b"\r\n\r\n")
        self._raw_head = head + b"\r\n\r\n"
        config = _config()
        self._keyring = Keyring(config)
        self._prices, self._ids = Prices(config.providers), GenerationIds()
        self._planner = Planner(Router(config), self._prices, config.sticky.key)
        self._provider = config.providers[0]
        upstream = Upstream(self._provider.base_url, self._provider.timeouts)
        self._upstream_head = UpstreamHead(self._provider, upstream, Via(str(folder)))
        self._journal = Journal(folder / "journal")
        self._settled: list[Generation] = []
        self._head = self._parsed()
        self._target = self._routed()
        self._request = self._received()
        self._tenant = self._keyring.caller(self._request)
        self._call = self._identify()
        self._parser = AnswerParser()
        self._read_answer()
        self._generation = self._settle(self._meter())

    def steps(self) -> list[tuple[str, Callable[[], object]]]:
        """Name and what to call."""
        meter, entry = self._meter(), self._entry()
        return [
            ("read the request's head", lambda: (self._parsed(), self._routed())),
            ("1 authenticate", lambda: self._keyring.caller(self._request)),
            ("2 identify: decode the body", self._identify),
            ("3 check the policies", self._check),
            ("4 route: ring and candidate", self._route),
            ("5 forward: build body and head", self._forward),
            ("5 forward: read the answer", self._read_answer),
            ("6 meter: usage of the answer", self._meter),
            ("the answer's head to the client", lambda: self._answer_head(entry)),
            ("7 settle: price and record", lambda: self._settle(meter)),
        ]

    def journalling(self) -> float:
        """Microseconds for each record of a turn of the event loop, which are written together."""
        records = [self._generation] * _TURN
        return _fastest(lambda: self._journal.append_all(records), _CALLS // _TURN) / _TURN

    def shipping(self) -> float:
        """Microseconds for each record of a batch, in a store that knows its users already."""
        used = asyncio.run(self._ship([self._batch(number) for number in range(_BATCHES)]))
        return used / _BATCH * 1e6

    async def _ship(self, batches: list[list[Record]]) -> float:
        """CPU seconds for a batch, the median of the later half."""
        server = Server(self._folder / "redis")
        store = await open_store(server.url, KEPT)
        used = []
        for batch in batches:
            started = time.process_time()
            await store.apply(parcels(batch))
            used.append(time.process_time() - started)
        await store.close()
        server.kill()
        return percentile(used[len(used) // 2 :], 50)

    def _batch(self, number: int) -> list[Record]:
        """Records of users at random, as many different ones as in the comparison."""
        return [
            Record("bench", number * _BATCH + position, self._of_some_user())
            for position in range(1, _BATCH + 1)
        ]

    def _of_some_user(self) -> Generation:
        user = f"user_{random.randrange(USERS)}"
        return msgspec.structs.replace(self._settle(self._meter()), user=user)

    def _parsed(self) -> RequestHead:
        head = parse_head(self._raw_head)
        assert head is not None, "the benchmark's request is hot"
        return head

    def _routed(self) -> Target:
        target = hot_target("/v1/chat/completions")
        assert target is not None, "chat goes to a provider"
        return target

    def _received(self) -> Request:
        return Request(
            head=self._head.head,
            body=self._body,
            peer="127.0.0.1",
            received_at=1_700_000_000_000_000,
            started=time.monotonic(),
        )

    def _identify(self) -> Call:
        return read_call(self._request, self._target.endpoint, "bench")

    def _check(self) -> object:
        return flags_of(self._call, self._tenant.policies)

    def _route(self) -> object:
        candidate = self._planner.plan(self._call, self._body).next(time.monotonic())
        assert candidate is not None
        with candidate.provider.lease(candidate.route):
            return candidate

    def _forward(self) -> bytes:
        request, call = self._request, self._call
        model = self._provider.upstream_model(traffic.MODEL)
        body = upstream_body(request, call, model, self._provider)
        accept = accept_encoding(request.head, uncoded=call.hides_usage)
        return self._upstream_head.build(request.head, self._target.path, len(body), accept) + body

    def _read_answer(self) -> bytes:
        self._parser.expect(bodiless=False)
        self._parser.feed(CHAT_ANSWER)
        return self._parser.take()

    def _meter(self) -> Meter:
        meter = open_meter(self._call, 200, self._parser.headers, self._body)
        meter.feed(CHAT_ANSWER.partition(b"\r\n\r\n")[2])
        meter.finish()
        return meter

    def _entry(self) -> Entry:
        generation_id = self._ids.next(self._request.received_at)
        entry = Entry(
            generation_id, self._request, self._target, self._prices, self._settled.append
        )
        entry.tenant, entry.call = self._call.tenant, self._call
        entry.attempt(self._provider.name, "home", self._call.model, time.monotonic())
        entry.attempt_answered(200)
        return entry

    def _answer_head(self, entry: Entry) -> bytes:
        headers = client_headers(self._parser.headers, own_headers(entry))
        return answer_head(200, headers, 350, time.time(), keep_alive=True)

    def _settle(self, meter: Meter) -> Generation:
        entry = self._entry()
        entry.meter, entry.status = meter, 200
        entry.settle("ok")
        return self._settled.pop()


def _config() -> Config:
    providers = tuple(
        Provider(
            name=f"provider-{number}",
            base_url=f"http://127.0.0.1:{9000 + number}/v1",
            api_key=f"sk-provider-{number}",
            models=(traffic.MODEL,),
            prices={traffic.MODEL: _PRICE},
        )
        for number in range(3)
    )
    keys = (Key(name="bench", key=(traffic.KEY,), enforce_user_ids=True),)
    return Config(keys=keys, providers=providers)
