"""What an activity page is about: which days, whose calls, and how they are cut."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from gateway.api.query import read_day
from gateway.dashboard.visit import Visit
from gateway.errors import BadRequest
from gateway.ledger.counts import Counts
from gateway.ledger.results import ActivityRow, HourRow

Group = Literal["model", "provider", "route", "key", "user"]
Metric = Literal["cost", "requests", "tokens"]
Step = Literal["hour", "day", "month"]

PARAMETERS = (
    *("since", "until", "group_by", "metric", "per", "user", "model", "provider", "key"),
    "include_today",
)
"""As the API calls them where it has them, so that an address of its also opens the page; the page
always includes today."""

GROUPS: tuple[Group, ...] = get_args(Group)
METRICS: tuple[Metric, ...] = get_args(Metric)
STEPS: tuple[Step, ...] = get_args(Step)

_DEFAULT_DAYS = 30
_MAX_DAYS = 400
_MAX_DAYS_OF: Mapping[Step, int] = {"hour": 3, "day": 92, "month": _MAX_DAYS}
"""The most days of which each step is shown."""

_WITHOUT_HOURS: tuple[Group, ...] = ("route", "user")


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """`since` to `until`, days since the epoch, both inclusive; filters that are None keep all."""

    since: int
    until: int
    group: Group
    metric: Metric
    per: Step
    tenants: frozenset[str] | None
    user: str | None
    model: str | None
    provider: str | None

    @property
    def users(self) -> frozenset[str] | None:
        """The one user who is asked for; None for all."""
        return None if self.user is None else frozenset((self.user,))

    @property
    def days(self) -> int:
        """How many days."""
        return self.until - self.since + 1

    @property
    def before(self) -> int:
        """The first day of the period of the same length before this one."""
        return self.since - self.days

    def keeps(self, row: ActivityRow | HourRow) -> bool:
        """Whether a row is of the model and the provider that are asked for."""
        return self.model in (None, row.model) and self.provider in (None, row.provider)


def metric_of(counts: Counts, metric: Metric) -> int:
    """Nano-dollars, requests, or prompt and completion tokens."""
    value: int = getattr(counts, metric)
    return value


def read_span(visit: Visit) -> Span:
    """The span that the address asks for, by default the last 30 days, today included."""
    values = visit.values
    until = read_day(values, "until")
    until = visit.today if until is None else until
    since = read_day(values, "since")
    since = until - _DEFAULT_DAYS + 1 if since is None else since
    if not 0 < until - since + 1 <= _MAX_DAYS or since < _MAX_DAYS:
        raise BadRequest(f"Choose 1 to {_MAX_DAYS} days, the first before the last", "since")
    raw = {
        "since": since,
        "until": until,
        "group": values.get("group_by", "model"),
        "metric": values.get("metric", "cost"),
        "per": values.get("per", _fitting_step(visit, since, until)),
        "tenants": visit.tenants,
        "user": values.get("user"),
        "model": values.get("model"),
        "provider": values.get("provider"),
    }
    try:
        span = msgspec.convert(raw, Span)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The address asks for something unknown: {error}") from None
    _check(span)
    return span


def _fitting_step(visit: Visit, since: int, until: int) -> Step:
    """Of hours those of today, which are sure to be kept still."""
    has_hours = "user" not in visit.values and visit.values.get("group_by") not in _WITHOUT_HOURS
    if since == until == visit.today and has_hours:
        return "hour"
    return "day" if until - since < _MAX_DAYS_OF["day"] else "month"


def _check(span: Span) -> None:
    """Hours are counted for each key, model and provider, and for nothing finer."""
    most = _MAX_DAYS_OF[span.per]
    if span.days > most:
        raise BadRequest(f"Choose at most {most} days, or show them in longer steps", "per")
    if span.per == "hour" and (span.user is not None or span.group in _WITHOUT_HOURS):
        raise BadRequest("Hours are not kept by user or route; show days", "per")
