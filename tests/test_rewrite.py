"""The upstream body: the bytes that came, unless an alias or a stream's usage needs a change."""

import json
from typing import Any

import pytest

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS, Endpoint
from gateway.calls.reader import read_call
from gateway.calls.request import Request
from gateway.errors import BadRequest
from gateway.proxy.rewrite import edits_for, upstream_body
from tests.parts.pools import settings
from tests.parts.requests import request


def asked(
    body: bytes, path: str = "chat/completions", content_type: bytes = b"application/json"
) -> tuple[Request, Call]:
    came = request((b"Content-Type", content_type), target=f"/v1/{path}", body=body)
    return came, read_call(came, ENDPOINTS[path], "my-app")


def sent(body: bytes, model: str | None, path: str = "chat/completions") -> bytes:
    request, call = asked(body, path)
    return upstream_body(request, call, model, settings("a"))


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
    assert upstream_body(request, call, "m", settings("a")) is body


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
        (
            b'{"stream":true,"stream\\u005foptions":{"include_usage":false}}',
            {"include_usage": True},
        ),
    ],
)
def test_streams_are_asked_for_their_usage(path: str, before: bytes, options: object) -> None:
    """`include_usage` is set in the client's stead; its other options and fields stay."""
    request, call = asked(before, path)
    assert call.hides_usage
    after = json.loads(upstream_body(request, call, call.model, settings("a")))
    assert after == {**json.loads(before), "stream_options": options}


def test_asking_for_usage_keeps_every_byte_that_came() -> None:
    """The usual body is not taken apart: the option is put behind its last field."""
    before = b'{ "stream": true, "x": 1.0e0}'
    assert sent(before, None) == before[:-1] + b',"stream_options":{"include_usage":true}}'


def test_who_refuses_the_option_is_not_asked() -> None:
    """Some APIs answer 422 to it, and tell the usage unasked (openai/openai-agents-python#442)."""
    before = b'{"model":"m","stream":true}'
    request, call = asked(before)
    assert upstream_body(request, call, "m", settings("a", include_usage=False)) is before


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
    assert upstream_body(request, call, "whisper-1", settings("a")) == form % b"whisper-1"
    assert upstream_body(request, call, "fast", settings("a")) is request.body


def test_streamed_form_is_not_asked() -> None:
    """Only JSON bodies have stream options."""
    form = b'--b\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n--b--\r\n'
    request, call = asked(form, content_type=b"multipart/form-data; boundary=b")
    assert call.stream
    assert upstream_body(request, call, None, settings("a")) is form


def sent_to(body: bytes, model: str | None = "m", **more: Any) -> dict[str, Any]:
    """The fields that a provider with these settings gets."""
    request, call = asked(body)
    body = upstream_body(request, call, model, settings("a", **more))
    fields: dict[str, Any] = json.loads(body)
    return fields


def in_old_address(body: bytes, content_type: bytes = b"application/json") -> tuple[Request, Call]:
    """A call whose address names the model `m`."""
    old = Endpoint(path="engines/m/completions", dialect="completions", model="m")
    request, _ = asked(b"", content_type=content_type)
    request = request.with_body(body)
    return request, read_call(request, old, "my-app")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{ "a":1.0e0}', b'{"a":1.0e0}'),
        (b'{"model":"m","a":1.0e0}', b'{"a":1.0e0}'),
        (b'{"models":["n"],"a":1.0e0}', b'{"a":1.0e0}'),
        (b"", b""),
    ],
)
def test_body_leaves_the_name_to_an_address_that_has_it(body: bytes, expected: bytes) -> None:
    """Where the provider's name of the model stands in the address, no other is in the body."""
    request, call = in_old_address(body)
    assert upstream_body(request, call, "n", settings("a")) == expected
    if not call.models:
        assert upstream_body(request, call, "m", settings("a")) is body


def test_form_leaves_the_name_to_an_address_that_has_it() -> None:
    """A form without a model gets none."""
    form = b'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nu\r\n--b--\r\n'
    request, call = in_old_address(form, b"multipart/form-data; boundary=b")
    assert upstream_body(request, call, "n", settings("a")) is form


def test_what_is_meant_for_hearth_is_taken_out() -> None:
    """`provider`, `models` and `usage` would be unknown fields to a provider; the rest stays in
    order."""
    asks = b'"provider":{"order":["x"]},"models":["m","n"],"usage":{"include":true}'
    request, call = asked(b'{"a":1.0e0,%b,"model":"m","z":[1, 2]}' % asks)
    expected = b'{"a":1.0e0,"model":"n","z":[1, 2]}'
    assert upstream_body(request, call, "n", settings("a")) == expected


def test_model_is_named_where_only_models_were() -> None:
    """A provider is always told which of the `models` it is asked for."""
    assert sent_to(b'{"models":["m","n"]}') == {"model": "m"}


def test_preferences_are_passed_on_where_configured() -> None:
    """With `forwards_preferences` the objects go on, byte for byte."""
    body = b'{"provider":{"order": ["x"]},"usage":{"include":true},"model":"m"}'
    request, call = asked(body)
    provider = settings("a", forwards_preferences=True)
    assert upstream_body(request, call, "m", provider) is body


def test_cache_key_is_the_users_and_tells_nothing() -> None:
    """With a secret each user gets a fixed `prompt_cache_key` of their own, without the id."""
    secret = {"cache_key_secret": "s3cret"}
    anna, again, ben = (
        sent_to(b'{"model":"m","user":"%b"}' % user, **secret)["prompt_cache_key"]
        for user in (b"anna", b"anna", b"ben")
    )
    assert anna == again != ben
    assert len(anna) == 32
    other = sent_to(b'{"model":"m","user":"anna"}', cache_key_secret="other")
    assert other["prompt_cache_key"] != anna


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"m","user":"u","prompt_cache_key":"mine"}', "mine"),
        (b'{"model":"m"}', None),
    ],
)
def test_cache_key_is_only_set_for_a_user_without_one(body: bytes, expected: str | None) -> None:
    """The client's own key stays, and a call of nobody gets none."""
    assert sent_to(body, cache_key_secret="s").get("prompt_cache_key") == expected


def test_cache_key_is_only_set_where_the_api_has_it() -> None:
    """Messages, embeddings and forms do not know the field."""
    body = b'{"model":"m","user":"u"}'
    for path in ("messages", "embeddings", "completions"):
        _, call = asked(body, path)
        assert edits_for(call, settings("a", cache_key_secret="s")) == {}
    form = b'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nu\r\n--b--\r\n'
    _, call = asked(form, "audio/transcriptions", b"multipart/form-data; boundary=b")
    assert edits_for(call, settings("a", cache_key_secret="s")) == {}


@pytest.mark.parametrize("model", ["m", "n"])
@pytest.mark.parametrize("options", [b'null,"\xff":1', b'{"\xff":1}'])
def test_names_that_are_no_text(options: bytes, model: str) -> None:
    """A field whose name is no UTF-8 is the provider's affair, unless the body is taken apart: then
    it is the client's mistake."""
    request, call = asked(b'{"model":"m","stream":true,"stream_options":%b}' % options)
    with pytest.raises(BadRequest, match="not a JSON object"):
        upstream_body(request, call, model, settings("a"))
