"""Every address below `/v1/` and `/api/v1/` that Hearth answers itself."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from gateway.api import models, route
from gateway.api.context import Handler
from gateway.api.helicone import records, users
from gateway.api.openrouter import activity, generations
from gateway.api.openrouter.analytics import answer, meta
from gateway.api.openrouter.analytics.query import AnalyticsQuery
from gateway.api.operation import Operation
from gateway.calls.endpoint import Target
from gateway.envelope import Envelope


class Route(msgspec.Struct, frozen=True):
    """`path` is relative to the prefix; errors have the form of `envelope`, None for that which its
    address has anyway."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    operation: Operation
    envelope: Envelope | None = Envelope.OPENROUTER

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that it answers."""
        return ("GET", "HEAD") if self.method == "GET" else ("POST",)


MODEL = Route(
    "GET",
    "models/{model}",
    models.get_model,
    Operation(summary="One model", answer=models.ModelItem, errors=(400, 404)),
    envelope=None,
)
OPENROUTER_MODEL = Route(
    "GET",
    "model/{model}",
    models.describe_model,
    Operation(summary="One model", answer=models.ModelAnswer, errors=(400, 404)),
    envelope=None,
)
_MODELS = Operation(
    summary="The models that the configuration names",
    answer=models.ModelList,
    parameters=models.PARAMETERS,
    errors=(400,),
)
_NAMED = {"models/": MODEL, "model/": OPENROUTER_MODEL}
"""By what comes before a model's name, which may contain slashes. Any other method on them is a
provider's to answer."""

ROUTES = (
    Route("GET", "models", models.list_models, _MODELS, envelope=None),
    Route("GET", "models/user", models.list_models, _MODELS, envelope=None),
    Route(
        "GET",
        "models/count",
        models.count_models,
        Operation(summary="How many models the list has", answer=models.ModelCount),
        envelope=None,
    ),
    MODEL,
    OPENROUTER_MODEL,
    Route(
        "GET",
        "generation",
        generations.get_generation,
        Operation(
            summary="One generation",
            answer=generations.GenerationAnswer,
            parameters=generations.ONE_PARAMETERS,
            errors=(400, 404, 503),
        ),
    ),
    Route(
        "GET",
        "generations",
        generations.list_generations,
        Operation(
            summary="Generations, newest first",
            answer=generations.GenerationsAnswer,
            parameters=generations.LIST_PARAMETERS,
            tables=True,
            counts=True,
            errors=(400, 503),
        ),
    ),
    Route(
        "GET",
        "activity",
        activity.get_activity,
        Operation(
            summary="Counts by day, model and provider",
            answer=activity.ActivityAnswer,
            parameters=activity.PARAMETERS,
            tables=True,
            counts=True,
            errors=(400, 403, 503),
        ),
    ),
    Route(
        "GET",
        "route",
        route.get_route,
        Operation(
            summary="Where a user goes, and why",
            answer=route.RouteAnswer,
            parameters=route.PARAMETERS,
            errors=(400, 403, 404, 503),
        ),
    ),
    Route(
        "GET",
        "analytics/meta",
        meta.get_meta,
        Operation(
            summary="What analytics offers",
            answer=meta.MetaAnswer,
            errors=(400, 403),
        ),
    ),
    Route(
        "POST",
        "analytics/query",
        answer.query_analytics,
        Operation(
            summary="Counts by up to two dimensions, over any time",
            answer=answer.AnalyticsAnswer,
            body=AnalyticsQuery,
            counts=True,
            errors=(400, 403, 408, 429, 503),
        ),
    ),
    Route(
        "POST",
        "user/metrics/query",
        users.query_metrics,
        Operation(
            summary="Users and the sums of their requests",
            answer=records.UserMetricsAnswer,
            body=records.UserMetricsQueryParams,
            counts=True,
            errors=(400, 408, 503),
        ),
        Envelope.HELICONE,
    ),
    Route(
        "POST",
        "user/metrics-overview/query",
        users.query_overview,
        Operation(
            summary="How requests and cost spread over users",
            answer=records.OverviewAnswer,
            body=records.OverviewQueryParams,
            counts=True,
            errors=(400, 408, 503),
        ),
        Envelope.HELICONE,
    ),
    Route(
        "POST",
        "user/query",
        users.query_users,
        Operation(
            summary="Up to a hundred users' sums",
            answer=records.UserAnswer,
            body=records.UserQueryParams,
            counts=True,
            errors=(400, 408, 503),
        ),
        Envelope.HELICONE,
    ),
)

AT_ROOT = ("generation", "generations", "activity")
"""Paths that are also answered at the root, where a browser looks for their pages."""

_BY_PATH: Mapping[str, Route] = {each.path: each for each in ROUTES if each not in _NAMED.values()}


def find_route(method: str, target: Target) -> Route | None:
    """The route of a target, whether or not it knows the method; None leaves it to a provider."""
    path = target.endpoint.path.lower().strip("/")
    if (found := _BY_PATH.get(path)) or method not in ("GET", "HEAD"):
        return found
    return next((route for prefix, route in _NAMED.items() if path.startswith(prefix)), None)
