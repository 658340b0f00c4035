"""The open record of one request; it is settled exactly once, whatever ended the request.

The proxy notes here what happens while it happens. `settle` turns it into the frozen Generation;
every later call is ignored, so each place that sees an end may say so.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final

from gateway.calls.call import Call
from gateway.calls.endpoint import Target
from gateway.calls.request import Request
from gateway.errors import GatewayError, UpstreamError
from gateway.generation import Attempt, Flag, Generation, Outcome, Route, Usage
from gateway.metering.base import Meter
from gateway.metering.estimate import Estimate
from gateway.metering.reading import Reading
from gateway.pricing.prices import Prices

_CLIENT_LEFT: Final = 499
"""The status of a request whose client left before there was one, as nginx logs it."""


class Entry:
    """One request under way. `attempt_ended`: when the last attempt did, `ended`: when the request
    did, in monotonic seconds."""

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
        self.attempt_ended = 0.0
        self.ended = 0.0
        self._prices = prices
        self._record = record
        self._upstream_model: str | None = None
        self._attempt_started = 0.0
        self._first_byte: float | None = None
        self._settled = False

    def attempt(self, provider: str, route: Route, model: str | None, now: float) -> None:
        """A provider is about to be tried; the last one tried is the one on the record."""
        self.provider, self.route, self._upstream_model = provider, route, model
        self._attempt_started = now
        self._first_byte = None

    def attempt_failed(self, error: UpstreamError) -> None:
        """It gave no answer."""
        self._end_attempt(status=None, error=f"{error.reason}: {error}")

    def attempt_answered(self, status: int) -> None:
        """The head of its answer is here."""
        self._end_attempt(status=status, error=None)
        self._first_byte = self.attempt_ended

    def settle_error(self, error: GatewayError) -> None:
        """Hearth answers instead of a provider: it refused, or none of those it tried answered."""
        self.status, self.error = error.status, error.message
        self.settle("failed" if self.attempts else "refused")

    def settle(self, outcome: Outcome) -> None:
        """Write the record, once; `ok` becomes `failed` when the provider's answer is an error."""
        if not self._settled:
            self._settled = True
            self.ended = monotonic()
            generation = self._generation(outcome)
            self._record(generation)
            if self.request.on_settled is not None:
                self.request.on_settled(generation)

    def _end_attempt(self, status: int | None, error: str | None) -> None:
        self.attempt_ended = monotonic()
        latency = _milliseconds(self._attempt_started, self.attempt_ended)
        provider, model = self.provider or "", self._upstream_model
        self.attempts.append(Attempt(provider, model, status, error, latency))

    def _generation(self, outcome: Outcome) -> Generation:
        call, request, endpoint = self.call, self.request, self.target.endpoint
        user, sender = call.user if call else None, request.head.parsed
        reading = self._reading(outcome)
        usage, flags = reading.usage, reading.flags
        error = self.error or reading.error
        status = self.status or (_CLIENT_LEFT if outcome == "cancelled" else 500)
        if outcome == "ok" and (reading.error or status >= 400):
            outcome = "failed"
        cost, cache_discount = self._prices.cost(
            self.provider or "", self._upstream_model, usage, reading.cost
        )
        # By position, in the order of its fields: to match so many names takes twice the time of
        # all the rest.
        return Generation(
            self.id,
            request.received_at,
            self.tenant,
            endpoint.path,
            status,
            outcome,
            endpoint.api_type,
            user.id if user else None,
            user.source if user else None,
            call.session_id if call else None,
            self.model or (call.model if call else None),
            self._upstream_model,
            self.provider,
            self.route,
            reading.upstream_id,
            call.stream if call else False,
            reading.finish_reason,
            _milliseconds(request.started, self.ended),
            self._since_start(self._first_byte),
            usage,
            cost,
            cache_discount,
            self.moved_from,
            self._move_cost(usage) if self.moved_from else 0,
            tuple(self.attempts),
            self.flags + flags if flags else self.flags,
            error,
            request.peer,
            sender.user_agent,
            sender.referer,
            sender.title,
        )

    def _move_cost(self, usage: Usage) -> int:
        """What the prompt cost more than from a warm cache, if it found nothing in the one here."""
        if usage.cached_tokens or usage.estimated:
            return 0
        return self._prices.cold_surcharge(self.provider or "", self._upstream_model, usage)

    def _reading(self, outcome: Outcome) -> Reading:
        """What was used; a client that left before the answer began has still sent a prompt."""
        if self.meter is not None:
            return self.meter.reading()
        if outcome == "cancelled" and self.provider is not None:
            estimate = Estimate(self.target.endpoint.dialect, 200, self.request.body)
            return Reading(usage=estimate.usage(0))
        return Reading()

    def _since_start(self, moment: float | None) -> int | None:
        return None if moment is None else _milliseconds(self.request.started, moment)


def _milliseconds(start: float, end: float) -> int:
    return int((end - start) * 1000 + 0.5)
