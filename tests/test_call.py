"""Reading a call: the fields that matter, and whose request it is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, read_call
from gateway.endpoint import ENDPOINTS, Endpoint
from gateway.enduser import EndUser
from gateway.errors import BadRequest
from gateway.fingerprint import fingerprint
from gateway.request import Headers, Request

CHAT = ENDPOINTS["chat/completions"]
FORM = (b"Content-Type", b"multipart/form-data; boundary=b")


def read(body: bytes, *headers: tuple[bytes, bytes], endpoint: Endpoint = CHAT) -> Call:
    fields: Headers = list(headers)
    request = Request(
        method="POST",
        target="/",
        headers=fields,
        body=body,
        peer="127.0.0.1",
        received_at=0,
        started=0.0,
    )
    return read_call(request, endpoint, "my-app")


def read_fields(**fields: Any) -> Call:
    return read(json.dumps(fields).encode())


def with_user_id(value: bytes, body: bytes = b"{}") -> EndUser | None:
    return read(body, (b"Helicone-User-Id", value)).user


def refusal(body: bytes, *headers: tuple[bytes, bytes]) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(body, *headers)
    return caught.value


def form(*parts: tuple[str, str]) -> bytes:
    """A multipart body; a part is what follows `name=` and its content."""
    lines = [
        f"--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{content}\r\n"
        for name, content in parts
    ]
    return ("".join(lines) + "--b--\r\n").encode()


SOURCES = (
    ("user", {"user": "from-user"}),
    ("safety_identifier", {"safety_identifier": "from-safety"}),
    ("metadata.user_id", {"metadata": {"user_id": "from-metadata"}}),
)


@pytest.mark.parametrize("first", range(len(SOURCES)))
def test_earlier_source_wins(first: int) -> None:
    """Header, `user`, `safety_identifier`, `metadata.user_id`: the first that is there counts."""
    fields = {name: value for _, part in SOURCES[first:] for name, value in part.items()}
    name, part = SOURCES[first]
    expected = str(part.get(name, "from-metadata"))
    assert read_fields(**fields).user == EndUser(expected, name)
    body = json.dumps(fields).encode()
    assert with_user_id(b"from-header", body) == EndUser("from-header", "helicone-user-id")


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_empty_source_falls_through_to_the_next(empty: str | None) -> None:
    """A source that is blank or null counts as absent."""
    call = read_fields(user=empty, safety_identifier=empty, metadata={"user_id": "u"})
    assert call.user == EndUser("u", "metadata.user_id")


@pytest.mark.parametrize("value", [b"", b"  ", b'""', b'"  "'])
def test_empty_header_falls_through_to_the_body(value: bytes) -> None:
    """A `Helicone-User-Id` without an id is as good as none."""
    assert with_user_id(value, b'{"user":"u"}') == EndUser("u", "user")


def test_nobody() -> None:
    """Without any source there is no end user."""
    assert read_fields(model="m", metadata={"topic": "t"}).user is None
    assert read_fields(metadata=None).user is None
    assert read(b"").user is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'"alicebob@gmail.com"', "alicebob@gmail.com"),  # as Helicone's own curl sends it
        (b' " u " ', "u"),
        (b'""u""', '"u"'),
        (b'"u', '"u'),
        (b'"', '"'),
        (b"'u'", "'u'"),
        (b"\ttabs outside\t", "tabs outside"),
        ("Zoë".encode(), "Zoë"),
        ("Zoë".encode("latin-1"), "Zoë"),
    ],
)
def test_header_is_trimmed_and_unquoted_once(value: bytes, expected: str) -> None:
    """One pair of double quotes goes; another, or half of one, is part of the id."""
    assert with_user_id(value) == EndUser(expected, "helicone-user-id")


def test_quotes_in_the_body_are_part_of_the_id() -> None:
    """Only the header is unquoted: JSON has its own quotes."""
    assert read_fields(user=' "u" ').user == EndUser('"u"', "user")


@pytest.mark.parametrize("value", [0, 7, 1.5, False, True, [], ["u"], {}, {"id": "u"}])
def test_user_of_another_type_is_refused(value: object) -> None:
    """A `user` that is no string is a mistake, and no reason to look elsewhere."""
    body = json.dumps({"user": value, "safety_identifier": "s"}).encode()
    error = refusal(body, (b"Helicone-User-Id", b"u"))
    assert error.param == "user"
    assert "`user`" in error.message


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


@pytest.mark.parametrize("character", ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x80", "\x9f"])
def test_control_characters_are_refused(character: str) -> None:
    """C0, DEL and C1 inside an id are a 400 that names the field, from the header as well."""
    user_id = f"a{character}b"
    for field in ("user", "safety_identifier"):
        assert refusal(json.dumps({field: user_id}).encode()).param == field
    metadata = {"metadata": {"user_id": user_id}}
    assert refusal(json.dumps(metadata).encode()).param == "metadata.user_id"
    assert refusal(b"{}", (b"Helicone-User-Id", user_id.encode())).param == "Helicone-User-Id"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (rb'{"user":"\ud800"}', "user"),
        (rb'{"user":"a\udc00b"}', "user"),
        (b'{"user":"a\xffb"}', "user"),
        (b'{"user":"\xed\xa0\x80"}', "user"),
        (rb'{"safety_identifier":"\ud83d "}', "safety_identifier"),
        (rb'{"metadata":{"user_id":"\ud800"}}', "metadata.user_id"),
        (b'{"metadata":{"user_id":"\xff"}}', "metadata.user_id"),
    ],
)
def test_ids_that_are_not_unicode_are_refused(body: bytes, field: str) -> None:
    """Half a surrogate pair and broken UTF-8 are no text; the error names the field."""
    error = refusal(body)
    assert error.param == field
    assert f"`{field}`" in error.message


@pytest.mark.parametrize(
    "user_id", ["用户", "😀", "e\u0301", "a b", "x/y?z=%20", "'--", "\u202eabc"]
)
def test_any_other_text_is_an_id(user_id: str) -> None:
    """Ids are opaque: no alphabet is prescribed and nothing is normalised."""
    assert read_fields(user=user_id).user == EndUser(user_id, "user")
    assert with_user_id(user_id.encode()) == EndUser(user_id, "helicone-user-id")


def test_surrogate_pair_is_one_character() -> None:
    """An escaped pair is the character it stands for."""
    assert read(rb'{"user":"\ud83d\ude00"}').user == EndUser("😀", "user")


def test_id_has_at_most_512_characters() -> None:
    """512 characters, not bytes, pass; one more is refused wherever it stands."""
    assert read_fields(user="ü" * 512).user == EndUser("ü" * 512, "user")
    assert with_user_id(b'"' + b"x" * 512 + b'"') == EndUser("x" * 512, "helicone-user-id")
    error = refusal(json.dumps({"user": "x" * 513}).encode())
    assert (error.param, "513" in error.message) == ("user", True)
    assert refusal(b"{}", (b"Helicone-User-Id", b"x" * 513)).param == "Helicone-User-Id"
    assert refusal(form(("user", "x" * 100_000)), FORM).param == "user"


@given(st.text(min_size=1, max_size=512))
def test_every_id_is_taken_as_it_is_or_refused(user_id: str) -> None:
    """No id is ever changed but for the blanks around it."""
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in user_id.strip()):
        assert refusal(json.dumps({"user": user_id}).encode()).param == "user"
    else:
        expected = EndUser(user_id.strip(), "user") if user_id.strip() else None
        assert read_fields(user=user_id).user == expected


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


@pytest.mark.parametrize("metadata", ["text", 3, [], ["user_id"], True, None])
def test_metadata_of_another_type_names_nobody(metadata: object) -> None:
    """What else `metadata` may be is the provider's affair."""
    assert read_fields(metadata=metadata).user is None


def test_last_of_a_repeated_key_counts() -> None:
    """As for every provider that reads JSON the usual way, so both see the same user."""
    assert read(b'{"user":"a","user":"b"}').user == EndUser("b", "user")
    assert read(b'{"user":"a","us\\u0065r":null}').user is None


def test_fields_of_a_call() -> None:
    """What routing and metering need is read; the rest is not looked at."""
    call = read_fields(
        model="gpt-4o-mini",
        stream=True,
        stream_options={"include_usage": True},
        session_id=" s ",
        prompt_cache_key="k",
        temperature=0.5,
    )
    assert (call.model, call.stream, call.asks_usage, call.is_json) == (
        "gpt-4o-mini",
        True,
        True,
        True,
    )
    assert (call.session_id, call.prompt_cache_key, call.tenant) == ("s", "k", "my-app")
    assert call.endpoint is CHAT


def test_defaults_of_a_call() -> None:
    """Nothing asked: no model, not streamed, no usage asked for."""
    call = read(b"{}")
    assert (call.model, call.stream, call.asks_usage) == (None, False, False)
    assert (call.session_id, call.prompt_cache_key, call.overrides) == (None, None, {})


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": 1}])
def test_usage_is_asked_for_by_true_alone(options: object) -> None:
    """Anything but `include_usage: true` leaves asking to us."""
    assert not read_fields(stream=True, stream_options=options).asks_usage


def test_session_comes_from_the_body_or_the_header() -> None:
    """OpenRouter takes a session from both; the body goes before `x-session-id`."""
    header = (b"X-Session-Id", b"from-header")
    assert read(b"{}", header).session_id == "from-header"
    assert read(b'{"session_id":"from-body"}', header).session_id == "from-body"
    assert read(b'{"session_id":5,"prompt_cache_key":[]}').session_id is None


def test_overrides_are_the_usage_panda_fields() -> None:
    """Names in lower case, values trimmed, nothing else among them."""
    call = read(b"{}", (b"X-UsagePanda-Enforce-User-IDs", b" True "), (b"X-Other", b"1"))
    assert call.overrides == {"x-usagepanda-enforce-user-ids": "True"}


def test_sticky_key_is_tenant_and_first_source() -> None:
    """The key names the tenant, so that ids of two tenants are apart; sources are in order."""
    call = read(b'{"user":"u","session_id":"s","prompt_cache_key":"k"}')
    assert call.sticky_key(("user", "session_id")) == b"my-app\0u"
    assert call.sticky_key(("prompt_cache_key", "user")) == b"my-app\0k"
    assert call.sticky_key(()) is None
    assert read(b'{"session_id":"s"}').sticky_key(("user", "session_id")) == b"my-app\0s"
    assert read(b"{}").sticky_key(("user", "session_id", "prompt_cache_key")) is None
    assert read_fields(user="Zoë").sticky_key(("user",)) == "my-app\0Zoë".encode()


def test_every_source_of_the_sticky_key() -> None:
    """A source that is absent leaves the next one to decide; the fingerprint is one of them."""
    body = b'{"safety_identifier":"i","user":"u","messages":[{"role":"user","content":"Hi"}]}'
    call = read(body)
    assert call.sticky_key(("session_id", "safety_identifier")) == b"my-app\0i"
    by_fingerprint = call.sticky_key(("session_id", "fingerprint", "user"), body)
    assert by_fingerprint == f"my-app\0{fingerprint(body)}".encode()
    assert read(b"{}").sticky_key(("fingerprint", "user"), b"{}") is None


def test_fingerprint_costs_nothing_before_its_turn() -> None:
    """The body is not looked at where an earlier source is there."""
    no_json = b"never read"
    assert read(b'{"user":"u"}').sticky_key(("user", "fingerprint"), no_json) == b"my-app\0u"


@pytest.mark.parametrize(("value", "sticks"), [(b"off", False), (b" OFF ", False), (b"on", True)])
def test_affinity_can_be_switched_off(value: bytes, sticks: bool) -> None:
    """With `x-hearth-affinity: off` a call goes where one of nobody in particular would."""
    call = read(b'{"user":"u"}', (b"X-Hearth-Affinity", value))
    assert (call.sticky_key(("user",)) is not None) is sticks


def test_models_are_asked_for_in_order() -> None:
    """`model` first, then `models`, each once; without `model` the first of `models` is it."""
    assert read(b'{"model":"a","models":["b","a"," c "]}').models == ("a", "b", "c")
    alone = read(b'{"models":["b","c"]}')
    assert (alone.model, alone.models) == ("b", ("b", "c"))
    assert read(b'{"model":"a"}').models == ()


@pytest.mark.parametrize("models", ['"a"', "[]", "[1]", "{}", json.dumps(["m"] * 17)])
def test_models_are_a_short_list_of_names(models: str) -> None:
    """Anything else is refused, with the field's name."""
    assert refusal(f'{{"models":{models}}}'.encode()).param == "models"


def test_multipart_fields_are_read() -> None:
    """An image edit or a transcription names its model and user in form fields."""
    body = form(("model", "whisper-1"), ('"user"', " u "), ('"file"; filename="user.wav"', "RIFF"))
    call = read(body, FORM, endpoint=ENDPOINTS["audio/transcriptions"])
    assert (call.model, call.user, call.is_json) == ("whisper-1", EndUser("u", "user"), False)
    assert read(form(("stream", "true")), FORM).stream


def test_file_called_user_is_no_user() -> None:
    """A file's content is never taken for an id."""
    assert read(form(('"user"; filename="u.txt"', "u")), FORM).user is None


def test_header_goes_before_a_form_field() -> None:
    """Precedence is the same for a form."""
    call = read(form(("user", "u")), FORM, (b"Helicone-User-Id", b"h"))
    assert call.user == EndUser("h", "helicone-user-id")


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


@pytest.mark.parametrize(
    ("path", "stream", "asks_usage", "hides"),
    [
        ("chat/completions", True, False, True),
        ("completions", True, False, True),
        ("chat/completions", True, True, False),
        ("chat/completions", False, False, False),
        ("responses", True, False, False),
        ("messages", True, False, False),
        ("audio/speech", True, False, False),
    ],
)
def test_usage_is_hidden_where_hearth_asked_for_it(
    path: str, stream: bool, asks_usage: bool, hides: bool
) -> None:
    """Only two APIs have `include_usage`, and a client that set it gets what it asked for."""
    call = Call(
        endpoint=ENDPOINTS[path], tenant="t", stream=stream, is_json=True, asks_usage=asks_usage
    )
    assert call.hides_usage is hides


def test_nothing_is_hidden_where_nothing_was_added() -> None:
    """A body that is not JSON is not rewritten, so the usage chunk is not ours."""
    assert not Call(endpoint=ENDPOINTS["chat/completions"], tenant="t", stream=True).hides_usage
