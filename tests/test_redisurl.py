"""`ledger.url` of a Redis: every form, and what is no such thing."""

import pytest

from gateway.redisurl import Address, BadAddress, Options

FORMS: list[tuple[str, Address]] = [
    ("redis://cache", Address(kind="single", hosts=(("cache", 6379),))),
    ("redis://[::1]:7000/3", Address(kind="single", hosts=(("::1", 7000),), database=3)),
    (
        "redis://hearth:p%40ss:w@cache/0",
        Address(kind="single", hosts=(("cache", 6379),), username="hearth", password="p@ss:w"),
    ),
    ("redis://cache?prefix=", Address(kind="single", hosts=(("cache", 6379),))),
    (
        "rediss://:pw@cache?ca=/ca.pem&timeout=1.5",
        Address(
            kind="single",
            hosts=(("cache", 6379),),
            password="pw",
            options=Options(tls=True, ca="/ca.pem", timeout=1.5),
        ),
    ),
    (
        "redis+sentinel://a,b:5000/ledger/2?replicas=2&sentinel_password=s+a%26b",
        Address(
            kind="sentinel",
            hosts=(("a", 26379), ("b", 5000)),
            service="ledger",
            database=2,
            options=Options(replicas=2, sentinel_password="s+a&b"),
        ),
    ),
    (
        "redis+cluster://a,b:7001?tls=true&prefix=h",
        Address(
            kind="cluster",
            hosts=(("a", 6379), ("b", 7001)),
            options=Options(tls=True, prefix="h"),
        ),
    ),
]


@pytest.mark.parametrize(("url", "address"), FORMS, ids=[url for url, _ in FORMS])
def test_forms(url: str, address: Address) -> None:
    """Hosts, login, service, database and options are where they belong."""
    assert Address.parse(url) == address


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis+magic://a", "begins with none of redis, rediss"),
        ("redis://", "no HOST"),
        ("redis://a:b", "no HOST"),
        ("redis://[::1", "no HOST"),
        ("redis://a:70000", "no HOST"),
        ("redis://a:0", "no HOST"),
        ("redis://:pass/word@a", "%2F"),
        ("redis://user:12#34@a", "%23"),
        ("redis://a,b", "several hosts"),
        ("redis://a/x", "its path"),
        ("redis+cluster://a/1", "its path"),
        ("redis+sentinel://a,b", "name of the service"),
        ("redis://a?colour=red", "colour"),
        ("redis://a?timeout=soon", "float"),
        ("redis://a?timeout=nan", "float` > 0"),
        ("redis://a?connect_timeout=0", "float` > 0"),
        ("redis://a?replicas=-1", "int` >= 0"),
        ("redis://a?tls", "NAME=VALUE"),
        ("redis://a?prefix=x&", "NAME=VALUE"),
        ("redis://a?prefix={x}", "prefix"),
        ("redis+cluster://a?replicas=1", "replicas"),
    ],
)
def test_no_address(url: str, why: str) -> None:
    """What cannot be is refused, with what is wrong."""
    with pytest.raises(BadAddress, match=why):
        Address.parse(url)


def test_shown_without_login() -> None:
    """What errors and logs show has no password."""
    shown = str(Address.parse("redis+sentinel://hearth:secret@a,b/ledger?sentinel_password=hidden"))
    assert shown == "redis ledger at a:26379,b:26379"
