"""A visit: who looks at a page, at which address; and what a page can be answered with."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from gateway.api.context import Context, visible_tenants
from gateway.api.query import read_choice
from gateway.calendar import whole_days
from gateway.dashboard.addresses import link
from gateway.keys import Tenant


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a page.

    `path` as it came, percent-encoded; `query` likewise; `values` are the parameters that are not
    empty; `place` is the part of the path that names one user or generation. `now`: seconds since
    the epoch.
    """

    context: Context
    tenant: Tenant
    path: str
    query: str
    values: Mapping[str, str]
    place: str | None
    now: float

    @property
    def today(self) -> int:
        """Days since the epoch."""
        return whole_days(self.now)

    @property
    def tenants(self) -> frozenset[str] | None:
        """Whose records the page is about: all that may be seen, or those of `key` alone."""
        visible = visible_tenants(self.tenant)
        wanted = self.values.get("key")
        if wanted is None:
            return visible
        return frozenset((wanted,)) if visible is None else visible & {wanted}

    @property
    def keys(self) -> list[str]:
        """Names of the keys whose records may be seen."""
        if not self.tenant.is_manager:
            return [self.tenant.name]
        return self.context.config.client_names or [self.tenant.name]

    @property
    def has_several_keys(self) -> bool:
        """Whether there are several, so that whose a record is has to be said."""
        return len(self.keys) > 1

    @property
    def has_blanks(self) -> bool:
        """Whether the address has empty parameters, as those of a form's empty fields are."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return not all(value.strip() for _, value in pairs)

    def form(self, *others: str) -> str:
        """`html`, or which of `others` the address asks for; BadRequest for any other `format`."""
        return read_choice(self.values, "format", ("html", *others), "html")

    def link(self, **changes: object) -> str:
        """This address with some parameters set, or taken away by None."""
        return link(self.path, **{**self.values, **changes})


class Page(msgspec.Struct, frozen=True):
    """A template, and the record of what it shows: each field is a name in the template."""

    template: str
    shown: msgspec.Struct


class Table(msgspec.Struct, frozen=True):
    """A CSV download: its name without `.csv`, columns, and rows piece by piece."""

    name: str
    columns: Sequence[str]
    rows: AsyncIterator[Sequence[Mapping[str, Any]]]


class Document(msgspec.Struct, frozen=True):
    """A download that is complete in memory."""

    name: str
    content_type: str
    body: bytes


class Chunks(msgspec.Struct, frozen=True):
    """A download that is made piece by piece."""

    name: str
    content_type: str
    chunks: AsyncIterator[bytes]


Answer = Page | Table | Document | Chunks

Handler = Callable[[Visit], Awaitable[Answer]]
"""Answers a visit, or raises a GatewayError."""
