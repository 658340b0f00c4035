"""`GET /analytics/meta`: what can be asked for, which is what Hearth has data for."""

import msgspec
from aiohttp import web

from gateway.api.answers import json_answer
from gateway.api.context import Context
from gateway.api.openrouter.analytics.dimensions import DIMENSIONS
from gateway.api.openrouter.analytics.granularity import GRANULARITIES
from gateway.api.openrouter.analytics.metrics import METRICS, Format
from gateway.api.openrouter.analytics.operators import OPERATORS, ValueType
from gateway.api.query import read_query
from gateway.calls.endpoint import Target
from gateway.calls.request import Request


class MetricMeta(msgspec.Struct, frozen=True):
    name: str
    display_label: str
    is_rate: bool
    display_format: Format


class Named(msgspec.Struct, frozen=True):
    name: str
    display_label: str


class OperatorMeta(msgspec.Struct, frozen=True):
    name: str
    value_type: ValueType


class AnalyticsMeta(msgspec.Struct, frozen=True):
    metrics: list[MetricMeta]
    dimensions: list[Named]
    operators: list[OperatorMeta]
    granularities: list[Named]


class MetaAnswer(msgspec.Struct, frozen=True):
    data: AnalyticsMeta


_META = AnalyticsMeta(
    metrics=[
        MetricMeta(name, metric.label, metric.is_rate, metric.format)
        for name, metric in METRICS.items()
    ],
    dimensions=[Named(name, dimension.label) for name, dimension in DIMENSIONS.items()],
    operators=[OperatorMeta(name, each.takes) for name, each in OPERATORS.items()],
    granularities=[Named(name, name.capitalize()) for name in GRANULARITIES],
)


async def get_meta(context: Context, request: Request, target: Target) -> web.Response:
    """All that can be asked for; management keys only."""
    context.keyring.manager(request)
    read_query(target.query, ())
    return json_answer(MetaAnswer(_META))
