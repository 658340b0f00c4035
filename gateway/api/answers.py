"""Answers of the API: JSON, and tables as CSV."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from gateway.api.table import csv_header, csv_lines

_PRIVATE: Mapping[str, str] = {"Cache-Control": "no-store"}
"""A cache on the way keeps answers to `Authorization` to itself, but knows no `x-api-key`: RFC 9111
section 3.5."""


def json_answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """`value` as JSON."""
    body = msgspec.json.encode(value)
    return web.Response(
        body=body,
        status=status,
        content_type="application/json",
        headers={**_PRIVATE, **(headers or {})},
    )


def csv_answer(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    name: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """`rows` as a CSV download called `name`."""
    return web.Response(
        text=csv_header(columns) + csv_lines(rows, columns),
        content_type="text/csv",
        charset="utf-8",
        headers={
            **_PRIVATE,
            "Content-Disposition": f'attachment; filename="{name}"',
            **(headers or {}),
        },
    )
