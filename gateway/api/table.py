"""Tables as CSV (RFC 4180), safe to open in a spreadsheet."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import msgspec

_FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\0",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)
"""OWASP ASVS 5.0, requirement 1.2.10; the last four are the first ones in full width, which
spreadsheets of East Asian locales take for them."""


def csv_header(columns: Sequence[str]) -> str:
    """The line of column names."""
    return _lines([columns])


def csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """One line per row; what a row lacks is an empty cell, a list or object is JSON."""
    return _lines([_cell(row.get(column)) for column in columns] for row in rows)


async def csv_pieces(
    pages: AsyncIterator[Iterable[Mapping[str, Any]]], columns: Sequence[str]
) -> AsyncIterator[bytes]:
    """The whole table, the line of column names with its first piece."""
    header = csv_header(columns)
    async for rows in pages:
        yield (header + csv_lines(rows, columns)).encode()
        header = ""
    yield header.encode()


def _lines(rows: Iterable[Sequence[object]]) -> str:
    table = io.StringIO(newline="")
    csv.writer(table).writerows(rows)
    return table.getvalue()


def _cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        return msgspec.json.encode(value).decode()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
