"""Answers: JSON, errors, and CSV that reads back as it was and runs nothing."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.answers import csv_answer, error_answer, json_answer, long_answer
from gateway.envelope import Envelope
from gateway.errors import GatewayError, NotFound
from gateway.ledger.store import StoreUnavailable

PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc")))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    text = csv_answer(rows, columns, "table.csv", {}).text
    assert text is not None
    return text


def read_back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def cell(value: object) -> str:
    return read_back(table([{"a": value, "b": "end"}], ("a", "b")))[1][0]


def test_json_answer() -> None:
    """The value as JSON, with its status and type."""
    answer = json_answer({"data": ["ü", None, 1.5]}, status=404)
    assert answer.body == '{"data":["ü",null,1.5]}'.encode()
    assert (answer.status, answer.content_type) == (404, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("error", [NotFound("No."), StoreUnavailable("away")])
def test_error_answer(error: GatewayError) -> None:
    """The API's own form, with the error's headers, and for no cache to keep: what is missing now
    may be there soon."""
    answer = error_answer(error, Envelope.OPENROUTER)
    assert (answer.status, answer.body) == (error.status, error.body(Envelope.OPENROUTER))
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(error.headers.items()) <= set(answer.headers.items())


def test_csv_answer_is_a_download() -> None:
    """It has a name, a type and a coding."""
    answer = csv_answer([{"user": "Zoë"}], ("user",), "activity-2026-01-31.csv", {})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="activity-2026-01-31.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == "user\r\nZoë\r\n".encode()


async def failing_after(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    raise StoreUnavailable("away")


async def test_a_download_that_fails(http: aiohttp.ClientSession) -> None:
    """At once it can still be answered with why; later nobody takes what came for whole."""
    with pytest.raises(StoreUnavailable):
        await long_answer(failing_after(), "text/csv", "table.csv", {})

    async def download(request: web.Request) -> web.Response:
        return await long_answer(failing_after(b"a\r\n", b"1\r\n"), "text/csv", "table.csv", {})

    app = web.Application()
    app.router.add_get("/", download)
    async with TestServer(app) as server, http.get(server.make_url("/")) as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


def test_columns_are_in_the_order_given() -> None:
    """A header line first; what a row lacks is empty, what no column names is left out."""
    rows = [{"b": 2, "a": 1}, {"a": 3, "c": 4}, {}]
    assert table(rows, ("a", "b")) == "a,b\r\n1,2\r\n3,\r\n,\r\n"
    assert table([], ("a", "b")) == "a,b\r\n"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        ("", ""),
        (0, "0"),
        (-5, "-5"),
        (0.000_000_001, "1e-09"),
        ("a,b", "a,b"),
        ('say "hi"', 'say "hi"'),
        ("two\nlines", "two\nlines"),
        ("two\r\nlines", "two\r\nlines"),
        ("x=1", "x=1"),
        ([{"type": "f"}], '[{"type":"f"}]'),
        ({"a": "ü"}, '{"a":"ü"}'),
    ],
)
def test_cell_reads_back(value: object, expected: str) -> None:
    """Separators, quotes and line breaks inside a cell survive; lists and mappings are JSON."""
    assert cell(value) == expected


@pytest.mark.parametrize("start", list("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"))
def test_formula_is_disarmed(start: str) -> None:
    """A user id that a spreadsheet would run is shown as text (OWASP: CSV injection)."""
    for formula in (start, f'{start}HYPERLINK("http://evil.example","x")', f"{start}1+1,2"):
        assert cell(formula) == f"'{formula}"


@given(st.lists(st.lists(PRINTABLE, min_size=2, max_size=2)))
def test_table_reads_back(rows: list[list[str]]) -> None:
    """No text of a cell can make another cell, another row, or a formula."""
    text = table([{"a": first, "b": second} for first, second in rows], ("a", "b"))
    header, *found = read_back(text)
    assert header == ["a", "b"]
    assert [[cell.removeprefix("'") for cell in row] for row in found] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell.startswith(tuple("=+-@")) for row in found for cell in row)
