"""Reading a call: the fields that routing, policies and metering need."""

import json

import pytest

from gateway.calls.call import Call
from gateway.calls.endpoint import ENDPOINTS, Endpoint
from gateway.calls.fingerprint import fingerprint
from tests.parts.readings import CHAT, read, read_fields, refusal


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


def test_what_a_provider_keeps_is_looked_for_where_it_was_put() -> None:
    """Files and batches are with one provider: calls to them without an id live where their key
    does, unless they ask to be spread."""
    files = Endpoint(path="files", enforced=False, known=False)
    assert read(b"", endpoint=files).sticky_key(("user",)) == b"my-app\0"
    by_header = read(b"", (b"Helicone-User-Id", b"ann"), endpoint=files)
    assert by_header.sticky_key(("user",)) == b"my-app\0ann"
    spread = read(b"", (b"X-Hearth-Affinity", b"off"), endpoint=files)
    assert spread.sticky_key(("user",)) is None


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


def test_a_model_may_be_named_by_the_address() -> None:
    """OpenAI's old addresses have the model in them; a body may say the same, and nothing else."""
    old = Endpoint(path="engines/davinci/completions", model="davinci")
    assert read(b"{}", endpoint=old).model == "davinci"
    assert read(b'{"model":"davinci"}', endpoint=old).model == "davinci"
    error = refusal(b'{"model":"ada"}', endpoint=old)
    assert error.param == "model"
    assert error.message == "`model` is not the one that the address names"


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


@pytest.mark.parametrize("field", ["model", "models"])
def test_names_of_models_have_a_limit(field: str) -> None:
    """They go on every record, so nobody fills a disk with them."""
    name = "m" * 513
    error = refusal(json.dumps({field: name if field == "model" else [name]}).encode())
    assert (error.param, "513 found" in error.message) == (field, True)
