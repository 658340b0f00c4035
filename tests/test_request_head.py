"""Which heads are hot: a plain POST with one length, strictly HTTP/1.1, and nothing else."""

import pytest

from gateway.wire.request_head import parse_head

HEAD = b"POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"


def with_field(line: bytes) -> bytes:
    return HEAD.removesuffix(b"\r\n") + line + b"\r\n\r\n"


def test_hot() -> None:
    """Target, fields in the sender's spelling and order, and the body's length are read."""
    head = parse_head(with_field(b"X-Two:  b\r\nx-two: a"))
    assert head is not None
    read = head.head
    assert (read.target, head.length, head.keep_alive) == ("/v1/chat/completions?x=1", 5, True)
    assert [name for name, _ in read.headers[:2]] == [b"Host", b"Content-Length"]
    assert read.headers[2:] == [(b"X-Two", b"b"), (b"x-two", b"a")]


def test_same_but_for_the_length() -> None:
    """Heads that differ in nothing but the length are read once, each with its own length."""
    few, many = parse_head(HEAD), parse_head(HEAD.replace(b": 5", b": 5000000"))
    assert few is not None
    assert many is not None
    assert few.head is many.head
    assert (few.length, many.length) == (5, 5_000_000)
    other = parse_head(with_field(b"X-Other: 1"))
    assert other is not None
    assert other.head is not few.head


def test_the_next_head_on_a_connection() -> None:
    """It is known by the one before it, whatever follows it, if the length alone is another."""
    first = parse_head(HEAD)
    assert first is not None
    for number in (b"0", b"70", b"000000000000007"):
        raw = HEAD.replace(b": 5", b": " + number)
        again = first.template.read(raw + b"body\r\n\r\n")
        assert again is not None
        assert (again.head, again.length, again.size) == (first.head, int(number), len(raw))


@pytest.mark.parametrize(
    "raw",
    [
        *(with_field(b"X: y"), with_field(b"X: y")[1:], HEAD[:-1], HEAD[:30], b""),
        *(HEAD.replace(b": 5", b": " + number) for number in (b"", b"+5", b"5 ", b"1" * 16)),
    ],
)
def test_another_head_on_a_connection(raw: bytes) -> None:
    """One that differs in more than the length, or is not here yet, is not taken for the last."""
    first = parse_head(HEAD)
    assert first is not None
    assert first.template.read(raw) is None


@pytest.mark.parametrize("name", [b"Helicone-User-Id", b"helicone-user-id", b"Helicone-USER-id"])
def test_users(name: bytes) -> None:
    """Each head has the user it names; in the usual spellings, all else of it is shared."""
    heads = [parse_head(with_field(name + b": user_%d" % number)) for number in range(3)]
    read = [head.head for head in heads if head is not None]
    assert [head.user for head in read] == [b"user_0", b"user_1", b"user_2"]
    assert {head.target for head in read} == {"/v1/chat/completions?x=1"}
    assert len({head.parsed for head in read}) == (3 if b"USER" in name else 1)
    assert all(head.length == 5 for head in heads if head is not None)


def test_user_among_the_fields() -> None:
    """The head without the user is that of a client which names none."""
    plain, user = parse_head(HEAD), parse_head(with_field(b"Helicone-User-Id: u"))
    assert plain is not None
    assert user is not None
    assert user.head.headers == plain.head.headers
    assert (user.head.user, plain.head.user) == (b"u", None)


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        (b"Helicone-User-Id: a\r\nHelicone-User-Id: b", b"a"),
        (b"helicone-user-id: a\r\nHelicone-User-Id: b", b"a"),
        (b"Helicone-User-Id: a\r\nhelicone-user-id: b", b"a"),
        (b"Helicone-User-Id: \xc3\xbc", b"\xc3\xbc"),
        (b"Helicone-User-Id: a\tb", b"a\tb"),
        (b"Helicone-User-Id:  a ", b"a"),
        (b"Helicone-Auth: x", b""),
    ],
)
def test_users_that_need_a_closer_look(lines: bytes, user: bytes) -> None:
    """The first one counts, and any that HTTP allows gets through as it came."""
    head = parse_head(with_field(lines))
    assert head is not None
    assert (head.head.user or b"").strip() == user


@pytest.mark.parametrize("user", [b"a\x00b", b"a\rb", b"a\nb", b"a\x7fb", b"a\r\n folded"])
def test_unlawful_users(user: bytes) -> None:
    """What may not stand in a field is not let in with a user either."""
    assert parse_head(with_field(b"Helicone-User-Id: u")) is not None
    assert parse_head(with_field(b"Helicone-User-Id: " + user)) is None


@pytest.mark.parametrize("number", [b"", b"x", b"-1", b"5 5", b"1" * 16])
def test_remembered_but_for_a_bad_length(number: bytes) -> None:
    """A head that was read before is still refused with a length that is no number."""
    assert parse_head(HEAD) is not None
    assert parse_head(HEAD.replace(b": 5", b": " + number)) is None


def test_closing() -> None:
    """`Connection: close` is hot too, and says that no request follows."""
    head = parse_head(with_field(b"Connection: close"))
    assert head is not None
    assert not head.keep_alive


@pytest.mark.parametrize(
    "raw",
    [
        HEAD.replace(b"POST", b"GET"),
        HEAD.replace(b"POST", b"PUT"),
        HEAD.replace(b"1.1", b"1.0"),
        HEAD.replace(b"/v1", b"http://h/v1"),
        HEAD.replace(b"Host: h\r\n", b""),
        HEAD.replace(b"Content-Length: 5\r\n", b""),
        HEAD.replace(b": 5", b": +5"),
        HEAD.replace(b": 5", b": 5, 5"),
        HEAD.replace(b"Content-Length:", b"Content-Length :"),
        with_field(b"Content-Length: 5"),
        with_field(b"Host: another"),
        with_field(b"Transfer-Encoding: chunked"),
        with_field(b"Expect: 100-continue"),
        with_field(b"Upgrade: websocket"),
        with_field(b"Content-Encoding: gzip"),
        with_field(b"Trailer: x"),
        with_field(b"X: a\r\n folded"),
        with_field(b"No colon"),
        with_field(b"X: \x00"),
        HEAD.replace(b"\r\n", b"\n"),
        b"\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
    ],
)
def test_not_hot(raw: bytes) -> None:
    """Anything else, malformed or ambiguous heads included, is left to aiohttp."""
    assert parse_head(raw) is None
