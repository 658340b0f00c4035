"""The open record of one request; it is settled exactly once, whatever ended the request.

The proxy notes here what happens while it happens. `settle` turns it into the frozen Generation;
every later call is ignored, so each place that sees an end may say so.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

from gateway.call import Call
from gateway.endpoint import Target
from gateway.errors import GatewayError, UpstreamError
from gateway.generation import Attempt, Flag, Generation, Route, Usage
from gateway.metering.estimate import open_estimate
from gateway.metering.reading import Meter, Reading
from gateway.pricing import Prices
from gateway.request import HEADS, Head, Request

_UNSENT_STATUS = {"cancelled": 499}
"""The status of a request that ended before there was one: 499 for a client that left, as nginx
logs it, else 500."""

Outcome = Literal["ok", "refused", "failed", "cancelled", "cut"]


class _Sender(NamedTuple):
    """What a head says about the program that sent it."""

    user_agent: str | None
    referer: str | None
    title: str | None


class Entry:
    """One request under way."""

    def __init__(
        self,
        generation_id: str,
        request: Request,
        target: Target,
        prices: Prices,
        record: Callable[[Generation], None],
    ) -> None:
        self.id = generation_id
        self.request = request
        self.target = target
        self.tenant = ""
        self.call: Call | None = None
        self.flags: tuple[Flag, ...] = ()
        self.attempts: list[Attempt] = []
        self.status: int | None = None
        self.error: str | None = None
        self.meter: Meter | None = None
        self.provider: str | None = None
        self.route: Route | None = None
        self.model: str | None = None
        self.moved_from: str | None = None
        self._prices = prices
        self._record = record
        self._upstream_model: str | None = None
        self._attempt_started = 0.0
        self._first_byte: float | None = None
        self._settled = False

    def attempt(self, provider: str, route: Route, model: str | None) -> None:
        """A provider is about to be tried; the last one tried is the one on the record."""
        self.provider, self.route, self._upstream_model = provider, route, model
        self._attempt_started = time.monotonic()

    def attempt_failed(self, error: UpstreamError) -> None:
        """It gave no answer."""
        self._end_attempt(status=None, error=f"{error.reason}: {error}")

    def attempt_answered(self, status: int) -> None:
        """The head of its answer is here."""
        self._first_byte = time.monotonic()
        self._end_attempt(status=status, error=None)

    def _end_attempt(self, status: int | None, error: str | None) -> None:
        latency = _milliseconds(self._attempt_started, time.monotonic())
        provider, model = self.provider or "", self._upstream_model
        self.attempts.append(Attempt(provider, model, status, error, latency))

    def settle_error(self, error: GatewayError) -> None:
        """Hearth answers instead of a provider: it refused, or none of those it tried answered."""
        self.status, self.error = error.status, error.message
        self.settle("failed" if self.attempts else "refused")

    def settle(self, outcome: Outcome) -> None:
        """Write the record, once; `ok` becomes `failed` when the provider's answer is an error."""
        if not self._settled:
            self._settled = True
            generation = self._generation(outcome)
            self._record(generation)
            if self.request.on_settled is not None:
                self.request.on_settled(generation)

    def _generation(self, outcome: Outcome) -> Generation:
        ended = time.monotonic()
        call, request = self.call, self.request
        user, sender = call.user if call else None, _sender(request.head)
        reading = self._reading(outcome)
        cost = self._prices.cost(
            self.provider or "", self._upstream_model, reading.usage, reading.cost
        )
        if outcome == "ok" and (reading.error or (self.status or 0) >= 400):
            outcome = "failed"
        return Generation(
            id=self.id,
            created_at=request.received_at,
            tenant=self.tenant,
            endpoint=self.target.endpoint.path,
            status=self.status or _UNSENT_STATUS.get(outcome, 500),
            outcome=outcome,
            api_type=self.target.endpoint.api_type,
            user=user.id if user else None,
            user_source=user.source if user else None,
            session_id=call.session_id if call else None,
            model=self.model or (call.model if call else None),
            upstream_model=self._upstream_model,
            provider=self.provider,
            route=self.route,
            upstream_id=reading.upstream_id,
            streamed=call.stream if call else False,
            finish_reason=reading.finish_reason,
            latency_ms=_milliseconds(request.started, ended),
            first_byte_ms=self._since_start(self._first_byte),
            usage=reading.usage,
            cost=cost.total,
            cache_discount=cost.cache_discount,
            moved_from=self.moved_from,
            move_cost=self._move_cost(reading.usage) if self.moved_from else 0,
            attempts=tuple(self.attempts),
            flags=self.flags + reading.flags if reading.flags else self.flags,
            error=self.error or reading.error,
            peer=request.peer,
            user_agent=sender.user_agent,
            referer=sender.referer,
            title=sender.title,
        )

    def _move_cost(self, usage: Usage) -> int:
        """What the prompt cost more than from a warm cache, if it found nothing in the one here."""
        if usage.cached_tokens or usage.estimated:
            return 0
        return self._prices.cold(self.provider or "", self._upstream_model, usage)

    def _reading(self, outcome: Outcome) -> Reading:
        """What was used; a client that left before the answer began has still sent a prompt."""
        if self.meter is not None:
            return self.meter.reading()
        if outcome == "cancelled" and self.provider is not None:
            estimate = open_estimate(self.target.endpoint.dialect, 200, self.request.body)
            return Reading(usage=estimate(0))
        return Reading()

    def _since_start(self, moment: float | None) -> int | None:
        return None if moment is None else _milliseconds(self.request.started, moment)


@lru_cache(maxsize=HEADS)
def _sender(head: Head) -> _Sender:
    return _Sender(
        user_agent=head.field(b"user-agent"),
        referer=head.field(b"http-referer") or head.field(b"referer"),
        title=head.field(b"x-openrouter-title") or head.field(b"x-title"),
    )


def _milliseconds(start: float, end: float) -> int:
    return round((end - start) * 1000)
