"""The upstream body: the bytes that came, unless an alias or a stream's usage needs a change."""

import json

import pytest

from gateway.call import Call, read_call
from gateway.endpoint import ENDPOINTS
from gateway.request import Request
from gateway.rewrite import upstream_body


def asked(
    body: bytes, path: str = "chat/completions", content_type: bytes = b"application/json"
) -> tuple[Request, Call]:
    request = Request(
        method="POST",
        target=f"/v1/{path}",
        headers=[(b"Content-Type", content_type)],
        body=body,
        peer="127.0.0.1",
        received_at=0,
        started=0.0,
    )
    return request, read_call(request, ENDPOINTS[path], "my-app")


def sent(body: bytes, model: str | None, path: str = "chat/completions") -> bytes:
    request, call = asked(body, path)
    return upstream_body(request, call, model)


@pytest.mark.parametrize(
    "body",
    [
        b'{ "model" : "m", "n": 1.0e0 }\n',
        b'{"model":"m","stream":false}',
        b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
        b'{"model":" m ","messages":[{"content":"\\u00e9\xc3\xa9"}]}',
    ],
)
def test_untouched_body_is_the_very_bytes_that_came(body: bytes) -> None:
    """Without an alias and with nothing to ask for, not even a copy is made."""
    request, call = asked(body)
    assert upstream_body(request, call, "m") is body


def test_body_without_a_model_is_untouched() -> None:
    """There is nothing to rename in it."""
    body = b'{"input":"text"}'
    assert sent(body, None, "moderations") is body


def test_alias_changes_the_model_alone() -> None:
    """Every other value keeps its bytes and its place."""
    others = (
        rb'"a":1.0e0,"b":123456789012345678901234567890,"c":"\u00e9\/\ud83d\ude00",'
        rb'"d":[1, 2,  {"model":"fast"}],"e":-0.0,"f":1e999,"g":null'
    )
    before = b'{"z":true,"model":"fast",' + others + b"}"
    assert sent(before, "gpt-4.1-nano") == b'{"z":true,"model":"gpt-4.1-nano",' + others + b"}"


def test_alias_is_written_as_json() -> None:
    """An upstream name with a quote or an umlaut does not break the body."""
    assert json.loads(sent(b'{"model":"fast"}', 'q"ü\\')) == {"model": 'q"ü\\'}


def test_repeated_model_leaves_no_second_one() -> None:
    """Whether a provider reads the first or the last of a repeated key, it gets the same."""
    assert sent(b'{"model":"slow","model":"fast"}', "nano") == b'{"model":"nano"}'


@pytest.mark.parametrize("path", ["chat/completions", "completions"])
@pytest.mark.parametrize(
    ("before", "options"),
    [
        (b'{"model":"m","stream":true}', {"include_usage": True}),
        (b' \n{"stream":true}', {"include_usage": True}),
        (b'{"stream":true,"stream_options":null}', {"include_usage": True}),
        (b'{"stream":true,"stream_options":{}}', {"include_usage": True}),
        (b'{"stream":true,"stream_options":{"include_usage":false}}', {"include_usage": True}),
        (
            b'{"stream":true,"stream_options":{"include_obfuscation":false}}',
            {"include_obfuscation": False, "include_usage": True},
        ),
        (b'{"stream":true,"user":"stream_options"}', {"include_usage": True}),
    ],
)
def test_streams_are_asked_for_their_usage(path: str, before: bytes, options: object) -> None:
    """`include_usage` is set in the client's stead; its other options and fields stay."""
    request, call = asked(before, path)
    assert call.hides_usage
    after = json.loads(upstream_body(request, call, call.model))
    assert after == {**json.loads(before), "stream_options": options}


def test_asking_for_usage_keeps_every_byte_that_came() -> None:
    """The usual body is not taken apart: the option is put before its first field."""
    before = b'{ "stream": true, "x": 1.0e0}'
    assert sent(before, None) == b'{"stream_options":{"include_usage":true},' + before[1:]


def test_alias_and_usage_together() -> None:
    """Both rules hold for one body."""
    assert json.loads(sent(b'{"model":"fast","stream":true}', "nano")) == {
        "model": "nano",
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("path", ["responses", "messages", "embeddings", "images/generations"])
def test_other_endpoints_are_not_asked(path: str) -> None:
    """Their streams bring their usage, or have none; the option would be an error there."""
    body = b'{"model":"m","stream":true}'
    assert sent(body, "m", path) is body


def test_plain_answers_are_not_asked() -> None:
    """An answer in one piece always brings its usage."""
    assert not asked(b'{"model":"m"}')[1].hides_usage


def test_alias_in_a_form() -> None:
    """A form's model field is renamed, the file beside it is not touched."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\xff\r\n'
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n--b--\r\n'
    )
    request, call = asked(
        form % b"fast", "audio/transcriptions", b"multipart/form-data; boundary=b"
    )
    assert upstream_body(request, call, "whisper-1") == form % b"whisper-1"
    assert upstream_body(request, call, "fast") is request.body


def test_streamed_form_is_not_asked() -> None:
    """Only JSON bodies have stream options."""
    form = b'--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n--b--\r\n'
    request, call = asked(form, content_type=b"multipart/form-data; boundary=b")
    assert call.stream
    assert upstream_body(request, call, None) is form
