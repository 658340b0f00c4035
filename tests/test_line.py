"""A journal's line is a record, whichever version wrote it, or nothing."""

import msgspec
import pytest

from gateway.generation import Attempt, Extras, Flag, Record, Usage
from gateway.ledger.line import record_of
from gateway.ledger.named import named
from tests.parts.generations import generation

ONE = generation(
    1,
    usage=Usage(prompt_tokens=10**30, estimated=True, extras=Extras(5, web_searches=2)),
    attempts=(Attempt("a", status=502, error="bad \u2028 gateway"), Attempt("b")),
    flags=(Flag("a", "b"),),
)


def test_line() -> None:
    """What was written comes back, blanks at the end or not: a redacted line ends with some."""
    line = msgspec.json.encode(Record("w", 7, ONE))
    assert record_of(line) == record_of(line + b"   ") == Record("w", 7, ONE)


def test_line_with_fewer_fields() -> None:
    """What a version before did not know of a usage is as it is by default."""
    line = (
        b'["w",7,["gen-20000-000001",1728000001000000,"app","chat.completions",200,"ok",null,'
        b'"user_1",null,null,"small",null,"a",null,null,false,null,20,null,[10,5,0,4,0,false,0],'
        b"7,0,null,0,[],[],null,null,null,null,null]]"
    )
    assert record_of(line) == Record("w", 7, generation(1))


def test_line_with_names() -> None:
    """A worker of before may have left some that name their fields."""
    line = msgspec.json.encode(("w", 7, named(ONE)))
    assert record_of(line) == Record("w", 7, ONE)


@pytest.mark.parametrize(
    "bad",
    [
        *(b"", b"null", b"[]", b"{}", b"\0" * 40, b'"\xff"', b'["w",1]', b'["w",1,[]]'),
        *(b'["w",1,{}]', b'["w",1,null]', b'["w","1",', b'["w",1,["a",1,"b","c",200,"ok"]'),
        b'["w","1",["a",1,"b","c",200,"ok"]]',
        b'["w",1,["a","1","b","c",200,"ok"]]',
        b'["w",1,["a",1,"b","c",200,"fine"]]',
        b'["w",1,["a",1,"b","c",200,"ok",7]]',
        b'["w",1,["a",1,"b","c",200,"ok"]]]',
        b'["w",1,["a",1,"b","c",200,"o\xffk"]]',
        b'["w",1,{"id":"a","created_at":1,"tenant":"b","endpoint":"c","status":200}]',
        b'["w",1,{"id":"a","created_at":"1","tenant":"b","endpoint":"c","status":1,"outcome":"ok"}]',
        b'["w",1,["a",1,"b","c",200,"ok"],%b' % (b"[" * 10_000),
        b'["w",1,{"x":%b' % (b"[" * 10_000),
    ],
)
def test_no_record(bad: bytes) -> None:
    """Cut, of wrong types, too short or deep, not JSON or not UTF-8: each is told from a record."""
    assert record_of(bad) is None


def test_wrong_type_anywhere() -> None:
    """No field may be of another type, the last ones as little as the first."""
    fields = msgspec.json.decode(msgspec.json.encode(ONE))
    for place in range(len(fields)):
        wrong = [*fields]
        wrong[place] = {"wrong": True}
        assert record_of(msgspec.json.encode(["w", 7, wrong])) is None
