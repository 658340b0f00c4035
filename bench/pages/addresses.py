"""The pages: their addresses, with every grouping, range, order and filter that they have."""

import time
from collections.abc import Iterator, Mapping

from bench.sizes.people import RARE
from gateway.calendar import day_text, month_of, month_text, whole_days
from gateway.dashboard.activity.span import GROUPS, METRICS
from gateway.dashboard.addresses import generation_path, link, user_path
from gateway.dashboard.providers.page import SPANS as PROVIDER_SPANS
from gateway.dashboard.users.grid import COLUMNS
from gateway.dashboard.users.user import SPANS as USER_SPANS
from gateway.units import counted

_BUSY = "user_0000001"
"""A user of the key `shop`, one of the two who call most."""

Page = tuple[str, str]


def addresses(generation_id: str, quiet: str) -> Mapping[str, str]:
    """What is shown -> where; `quiet` is a user who hardly calls."""
    today = whole_days(time.time())
    return {
        **dict(_activity(today)),
        **dict(_users(today)),
        **dict(_user(quiet)),
        **dict(_generations(today, quiet)),
        "generation": generation_path(generation_id),
        **dict(_providers()),
    }


def _providers() -> Iterator[Page]:
    for days in PROVIDER_SPANS:
        yield f"providers, {counted(int(days), 'day')}", link("/providers", days=days)


def _activity(today: int) -> Iterator[Page]:
    for group in GROUPS:
        for days in (1, 7, 30, 90, 365):
            path = link("/activity", since=day_text(today - days + 1), group_by=group)
            yield f"activity by {group}, {counted(days, 'day')}", path
    for metric in METRICS[1:]:
        yield f"activity by user, {metric}", link("/activity", group_by="user", metric=metric)
    yield "activity by month", link("/activity", since=day_text(today - 364), per="month")
    for group in ("model", "provider", "key"):
        for days in (1, 3):
            path = link("/activity", since=day_text(today - days + 1), per="hour", group_by=group)
            yield f"activity by hour and {group}, {counted(days, 'day')}", path
    filters = {"user": _BUSY, "model": "gpt-4o", "provider": "oak", "key": "shop"}
    for name, value in filters.items():
        yield f"activity of one {name}", link("/activity", **{name: value})
    yield "activity by user, of one model", link("/activity", group_by="user", model="gpt-4o")


def _users(today: int) -> Iterator[Page]:
    for column in COLUMNS:
        for direction in (None, "up"):
            path = link("/users", sort=column.order, direction=direction)
            yield f"users by {column.order}{', reversed' if direction else ''}", path
    before = month_text(month_of(today) - 1)
    yield "users, a month before", link("/users", month=before)
    yield "users, page 200", link("/users", page=200)
    yield "users, of one key", link("/users", key="shop")
    yield "users, p99.9", link("/users", percentile="p99.9")
    yield "users, interquartile", link("/users", middle="true")
    for prefix in ("user_", "user_00001", "nobody"):
        yield f"users, beginning with {prefix}", link("/users", search=prefix)
        path = link("/users", search=prefix, sort="cost")
        yield f"users, beginning with {prefix}, by cost", path


def _user(quiet: str) -> Iterator[Page]:
    for name, user in (("busy", _BUSY), ("quiet", quiet)):
        for days in USER_SPANS:
            yield f"a {name} user, {days} days", link(user_path(user), days=days)


def _generations(today: int, quiet: str) -> Iterator[Page]:
    model, provider = RARE
    filters: Mapping[str, Mapping[str, str]] = {
        "newest": {},
        "of a busy user": {"user": _BUSY},
        "of a quiet user": {"user": quiet},
        "of nobody": {"user": "nobody"},
        "of a model": {"model": model},
        "of a provider": {"provider": provider},
        "of a model and a provider": {"model": model, "provider": "birch"},
        "of a model and a provider that never met": {"model": model, "provider": provider},
        "ok": {"status": "ok"},
        "failed": {"status": "failed"},
        "of status 502 and a model": {"status": "502", "model": model},
        "of a status that never came": {"status": "418"},
        "flagged": {"flagged": "true"},
        "flagged, of a provider": {"flagged": "true", "provider": provider},
        "not flagged": {"flagged": "false"},
        "of a key": {"key": "shop"},
        "of ten days ago": {"until": f"{day_text(today - 10)}T12:00"},
        "failed, of ten days ago": {"status": "failed", "until": f"{day_text(today - 10)}T12:00"},
    }
    for name, values in filters.items():
        yield f"generations: {name}", link("/generations", **values)
