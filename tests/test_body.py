"""The body's fields, out of JSON and forms, and what is wrong with them."""

import tracemalloc
from contextlib import suppress

import pytest

from gateway.calls.body import Body
from gateway.calls.call import EndUser
from gateway.calls.endpoint import ENDPOINTS, Endpoint
from gateway.errors import BadRequest
from tests.parts.readings import FORM, form, read, refusal


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"user":1e999}', "user"),
        (b'{"user":' + b"9" * 3000 + b"}", "user"),
        (b'{"safety_identifier":3}', "safety_identifier"),
        (b'{"metadata":{"user_id":3}}', "metadata.user_id"),
        (b'{"metadata":{"user_id":1e999}}', "metadata.user_id"),
        (b'{"model":["m"]}', "model"),
        (b'{"stream_options":3}', "stream_options"),
    ],
)
def test_field_of_another_type_is_named(body: bytes, field: str) -> None:
    """The error says which field is not what it has to be."""
    assert refusal(body).param == field


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b'{"model": "m", "user": "alicebob@gmail.com",}',  # as Helicone's guide has it
        b'{"user":"u"} {}',
        b'{"user":"u"',
        b"[]",
        b'[{"user":"u"}]',
        b'"u"',
        b"null",
        b'{"user":"a\nb"}',
        b"\xef\xbb\xbf{}",
        b'{"n":NaN}',
        rb'{"content":"\ud800"}',
        b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"metadata":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """Broken, other and bottomless JSON is a 400 that blames no field."""
    error = refusal(body)
    assert error.param is None
    assert "not a JSON object" in error.message


@pytest.mark.parametrize("elsewhere", [b"1e999", b"9" * 5000, b"-0.0e-999", b'"\\u0000"'])
def test_what_stands_elsewhere_does_not_matter(elsewhere: bytes) -> None:
    """Fields that are not ours are neither read nor judged, whatever is in them."""
    body = b'{"n":%b,"metadata":{"n":%b,"user_id":"u"},"tools":[{"user":3}]}' % (
        elsewhere,
        elsewhere,
    )
    assert read(body).user == EndUser("u", "metadata.user_id")


@pytest.mark.parametrize("field", Body.__struct_fields__)
@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":[', b"]}")])
def test_what_has_no_place_is_not_built(field: str, brackets: tuple[bytes, bytes]) -> None:
    """However much is in an array or an object, reading it takes no more memory than its text."""
    opened, closed = brackets
    body = b'{"%b":%b%b1%b}' % (field.encode(), opened, b"[]," * 100_000, closed)
    tracemalloc.start()
    with suppress(BadRequest):
        read(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * len(body)


def test_a_long_body_is_not_read_twice() -> None:
    """What is wrong with one is not worth the memory it takes to tell."""
    fields = b'"a":[%b1],"user":"\\ud800"' % (b"[]," * 400_000)
    assert refusal(b"{%b}" % fields).param is None
    assert refusal(b'{"user":"\\ud800"}').param == "user"


def test_last_of_a_repeated_key_counts() -> None:
    """As for every provider that reads JSON the usual way, so both see the same user."""
    assert read(b'{"user":"a","user":"b"}').user == EndUser("b", "user")
    assert read(b'{"user":"a","us\\u0065r":null}').user is None


def test_multipart_fields_are_read() -> None:
    """An image edit or a transcription names its model and user in form fields."""
    body = form(("model", "whisper-1"), ('"user"', " u "), ('"file"; filename="user.wav"', "RIFF"))
    call = read(body, FORM, endpoint=ENDPOINTS["audio/transcriptions"])
    assert (call.model, call.user, call.is_json) == ("whisper-1", EndUser("u", "user"), False)
    assert read(form(("stream", "true")), FORM).stream


@pytest.mark.parametrize(
    "body", [b"", b'{"user":"u"}', form(("user", "u"))[:-8], b"--b\r\nno colon\r\n\r\nx\r\n--b--"]
)
def test_broken_form_is_refused(body: bytes) -> None:
    """A body that is not the form it says it is, is a 400; no body at all asks for nothing."""
    if body:
        assert "multipart" in refusal(body, FORM).message
    else:
        assert read(body, FORM).user is None


def test_form_field_that_is_not_utf8_is_named() -> None:
    """Broken UTF-8 in an id is refused; in a field that is not ours it does not matter."""
    assert refusal(form(("user", "u")).replace(b"\nu\r", b"\n\xff\r"), FORM).param == "user"
    body = form(("prompt", "p"), ("user", "u")).replace(b"\np\r", b"\n\xff\r")
    assert read(body, FORM).user == EndUser("u", "user")


@pytest.mark.parametrize("body", [b"\x00\x01", b"[]", b'{"user": 3}', form(("user", "\0"))])
def test_unknown_endpoint_is_not_read(body: bytes) -> None:
    """What passes through has a body of which nothing is known; only the header can name a user."""
    unknown = Endpoint(path="files", enforced=False, known=False)
    for headers in ([], [FORM]):
        call = read(body, *headers, (b"Helicone-User-Id", b"u"), endpoint=unknown)
        assert (call.user, call.model) == (EndUser("u", "helicone-user-id"), None)
        assert not call.is_json


@pytest.mark.parametrize("content_type", [b"", b"text/plain", b"application/x-www-form-urlencoded"])
def test_everything_but_a_form_is_json(content_type: bytes) -> None:
    """A Content-Type that says otherwise hides no body from the policies."""
    header = (b"Content-Type", content_type)
    assert read(b'{"user":"u"}', header).user == EndUser("u", "user")
    assert "JSON" in refusal(b"user=u", header).message
