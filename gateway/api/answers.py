"""Answers of the API: JSON, errors, tables as CSV, and what is sent piece by piece."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from gateway.api.table import csv_header, csv_lines
from gateway.envelope import Envelope
from gateway.errors import GatewayError

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


def error_answer(error: GatewayError, envelope: Envelope) -> web.Response:
    """`error` in the form of the API that was called."""
    return web.Response(
        body=error.body(envelope),
        status=error.status,
        content_type="application/json",
        headers={**_PRIVATE, **error.headers},
    )


def csv_answer(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    name: str,
    headers: Mapping[str, str],
) -> web.Response:
    """`rows` as a CSV download called `name`."""
    return web.Response(
        text=csv_header(columns) + csv_lines(rows, columns),
        content_type="text/csv",
        charset="utf-8",
        headers={**_download(name), **headers},
    )


async def long_answer(
    chunks: AsyncIterator[bytes],
    content_type: str,
    name: str,
    headers: Mapping[str, str],
) -> web.Response:
    """A download called `name`, sent piece by piece, so that a long one neither fills the memory
    nor holds up others.

    What fails before the first piece is raised; later it ends the connection, so that nobody takes
    the answer for whole.
    """
    first = await anext(chunks, b"")
    return web.Response(
        body=_rejoined(first, chunks),
        content_type=content_type,
        charset="utf-8",
        headers={**_download(name), **headers},
    )


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _download(name: str) -> dict[str, str]:
    return {**_PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
