"""The way of a request: seven steps, top to bottom, the same on both edges.

1 authenticate   whose key it is
2 identify       what is asked, and for which end user
3 check          policies
4 route          model -> pool -> candidates
5 forward        the first candidate that answers; the next one only before the first byte
6 meter          usage out of the answer while it passes
7 settle         exactly one record, on every ending, before the client sees the last byte
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time

from gateway.calls.call import Call
from gateway.calls.endpoint import Target
from gateway.calls.reader import read_call
from gateway.calls.request import Request
from gateway.config import Config
from gateway.errors import (
    Forbidden,
    GatewayError,
    NoProvider,
    PolicyViolation,
    TimedOut,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
)
from gateway.generation import Generation
from gateway.keys import Keyring, Tenant
from gateway.metering.meter import open_meter
from gateway.policies.flags import flags_of
from gateway.policies.moderation import Moderator
from gateway.pricing.prices import Prices
from gateway.proxy.entry import Entry
from gateway.proxy.ids import GenerationIds
from gateway.proxy.relay import Relay
from gateway.proxy.reply import answer_error
from gateway.proxy.rewrite import upstream_body
from gateway.routing.last_providers import LastProviders
from gateway.routing.plan import Candidate, Plan, Planner
from gateway.routing.router import Router
from gateway.routing.verdict import FINE, SICK, Verdict, judge
from gateway.wire.downstream import Downstream
from gateway.wire.headers import UpstreamHead, accept_encoding
from gateway.wire.response import Response
from gateway.wire.upstream import Upstream
from gateway.wire.via import Via

_log = logging.getLogger(__name__)


class Proxy:
    """Handles model calls. Each of `recorders` is given every settled generation; `moderator` is
    asked about each call, where there is one."""

    def __init__(
        self,
        config: Config,
        keyring: Keyring,
        router: Router,
        prices: Prices,
        upstreams: Mapping[str, Upstream],
        recorders: Sequence[Callable[[Generation], None]],
        moderator: Moderator | None,
    ) -> None:
        self._keyring = keyring
        self._upstreams = upstreams
        self._recorders = tuple(recorders)
        self._moderator = moderator
        self._message_prefix = config.policies.message_prefix
        self._prices = prices
        self._planner = Planner(router, prices, config.sticky.key)
        self.last_providers = LastProviders()
        self._ids = GenerationIds()
        self._via = via = Via(config.ledger.journal)
        self._heads = {
            settings.name: UpstreamHead(settings, upstreams[settings.name], via)
            for settings in config.providers
        }

    async def handle(self, request: Request, target: Target, client: Downstream) -> None:
        """Answer `request` on `client` and settle its record; to be cancelled if the client leaves.

        `target` is the request's target, parsed.
        """
        entry = self._open_entry(request, target)
        try:
            self._via.refuse_loop(request)
            tenant = self._authenticate(entry)
            call = self._identify(entry)
            self._check(call, tenant, entry)
            if self._moderator is not None:
                await self._moderate(self._moderator, call, tenant, entry)
            await self._forward(call, self._planner.plan(call, request.body), entry, client)
        except GatewayError as error:
            entry.settle_error(error)
            answer_error(error, entry, client)
        except asyncio.CancelledError:
            entry.settle("cancelled")
            raise
        except Exception:  # noqa: BLE001  # logged, and answered
            _log.exception("%s failed unexpectedly", entry.id)
            _give_up(entry, client)

    def refuse(
        self, request: Request, target: Target, error: GatewayError, client: Downstream
    ) -> None:
        """Answer and settle a request whose body the edge could not take."""
        entry = self._open_entry(request, target)
        try:
            self._authenticate(entry)
        except GatewayError as unknown:
            error = unknown
        entry.settle_error(error)
        answer_error(error, entry, client)

    def _open_entry(self, request: Request, target: Target) -> Entry:
        generation_id = self._ids.next(request.received_at)
        return Entry(generation_id, request, target, self._prices, self._record)

    def _record(self, generation: Generation) -> None:
        for record in self._recorders:
            record(generation)

    def _authenticate(self, entry: Entry) -> Tenant:
        try:
            tenant = self._keyring.caller(entry.request)
        except Forbidden:
            entry.tenant = self._keyring.tenant(entry.request).name
            raise
        entry.tenant = tenant.name
        return tenant

    def _identify(self, entry: Entry) -> Call:
        target = entry.target
        call = read_call(entry.request, target.endpoint, entry.tenant, target.envelope)
        entry.call = call
        return call

    def _check(self, call: Call, tenant: Tenant, entry: Entry) -> None:
        entry.flags = flags_of(call, tenant.policies)
        if entry.flags:
            reasons = ", ".join(flag.description for flag in entry.flags)
            raise PolicyViolation(self._message_prefix + reasons)

    async def _moderate(
        self, moderator: Moderator, call: Call, tenant: Tenant, entry: Entry
    ) -> None:
        flag = await moderator.check(call, entry.request, tenant.policies)
        if flag is None:
            return
        entry.flags = (flag,)
        if moderator.blocks:
            raise PolicyViolation(self._message_prefix + flag.description)

    async def _forward(self, call: Call, plan: Plan, entry: Entry, client: Downstream) -> None:
        now = monotonic()
        candidate = plan.next(now)
        if candidate is None:
            raise NoProvider("Every provider of this model is at its limit; try again shortly")
        while candidate is not None:
            with candidate.provider.lease(candidate.route):
                answer = await self._attempt(call, candidate, entry, now)
                now, verdict = entry.attempt_ended, _verdict(answer, candidate)
                candidate.provider.health.observe(verdict, now)
                following = plan.next(now) if verdict.is_trouble else None
                if following is not None:
                    if isinstance(answer, Response):
                        answer.close()
                elif not isinstance(answer, Response):
                    raise _none_answered(answer, entry)
                else:
                    if answer.status < 400:
                        entry.moved_from = self.last_providers.record(plan.key, candidate)
                    meter = open_meter(call, answer.status, answer.headers, entry.request.body)
                    relay = Relay(meter, entry, client)
                    is_done = relay.begin(answer, hides=call.hides_null_usage)
                    is_whole = is_done or await relay.rest(answer)
                    _judge_end(candidate, answer.status, entry, is_whole=is_whole)
            candidate = following

    async def _attempt(
        self, call: Call, candidate: Candidate, entry: Entry, now: float
    ) -> Response | UpstreamError:
        """One try at one provider: the head of its answer, or how it failed."""
        request, provider = entry.request, candidate.provider
        model = provider.upstream_model(candidate.model)
        entry.model = candidate.model
        entry.attempt(provider.name, candidate.route, model, now)
        body = upstream_body(request, call, model, provider.settings)
        path = entry.target.path_for(model)
        accept: bytes | None = None
        if call.endpoint.known:
            accept = accept_encoding(request.head, uncoded=call.hides_null_usage)
        head = self._heads[provider.name].build(request.head, path, len(body), accept)
        try:
            response = await self._upstreams[provider.name].send(head, body)
        except UpstreamError as error:
            entry.attempt_failed(error)
            return error
        entry.attempt_answered(response.status)
        return response


def _give_up(entry: Entry, client: Downstream) -> None:
    """A defect of ours: 500, or a cut where the client has seen another status."""
    if entry.status is not None:
        entry.settle("failed")
        client.cut()
        return
    error = GatewayError("Something went wrong in Hearth; its log says what")
    entry.status, entry.error = error.status, error.message
    entry.settle("failed")
    answer_error(error, entry, client)


def _verdict(answer: Response | UpstreamError, candidate: Candidate) -> Verdict:
    if not isinstance(answer, Response):
        return SICK._replace(cause=str(answer))
    if answer.status < 400:
        return FINE
    settings, model = candidate.provider.settings, candidate.model
    return judge(answer.status, answer.headers, settings, model, time())


def _judge_end(candidate: Candidate, status: int, entry: Entry, *, is_whole: bool) -> None:
    """What the end of an answer says about its provider."""
    if not is_whole:
        candidate.provider.health.failed(entry.ended, str(entry.error))
    elif status < 400:
        candidate.provider.health.succeeded(entry.ended)


def _none_answered(last: UpstreamError, entry: Entry) -> GatewayError:
    """502, or 504 when the last attempt ran out of time, with every attempt listed."""
    tries = ", ".join(f"{a.provider} ({a.status or a.error})" for a in entry.attempts)
    kind = UpstreamTimeout if isinstance(last, TimedOut) else UpstreamFailed
    attempts = [
        {"provider": a.provider, "status": a.status, "error": a.error} for a in entry.attempts
    ]
    return kind(f"No provider answered; tried {tries}", attempts)
