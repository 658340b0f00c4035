"""Targets: every spelling of a model endpoint is that endpoint, to us and to the provider."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.endpoint import ENDPOINTS, MAX_PATH, Target, parse_target
from gateway.envelope import Envelope
from gateway.errors import BadRequest


def parsed(target: str) -> Target:
    found = parse_target(target)
    assert found is not None
    return found


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("prefix", ["/v1/", "/api/v1/"])
def test_every_endpoint_answers_under_both_prefixes(prefix: str, path: str) -> None:
    """`/v1/…` and `/api/v1/…` are the same data path."""
    target = parsed(prefix + path)
    assert target.endpoint is ENDPOINTS[path]
    assert target.path == path


@pytest.mark.parametrize(
    "spelling",
    [
        "/V1/Chat/Completions",
        "//v1//chat/completions",
        "//v1//chat/completions/",
        "/v1/chat/completions/",
        "/v1/chat///completions//",
        "/v1/chat%2Fcompletions",
        "/v1/chat%2fcompletions%2f",
        "/v1/%63hat/completion%73",
        "/v1/CHAT/COMPLETIONS",
        "/v1/chat/completions;x",
        "/v1/chat;a=b;c/completions;x=y",
        "/v1/chat/completions%3Bx",
        "/v1/chat/completions#x",
        "/v1/chat/completions%23/x",
        "/v1/chat/completions%3Fx",
        "/v1/chat\\completions",
        "/v1/chat%5Ccompletions",
        "/v1/chat%252Fcompletions",
        "/v1/%2563hat/completions%25252F",
        "/API/V1/chat/completions",
        "//api//v1//chat/completions",
    ],
)
def test_no_spelling_slips_past(spelling: str) -> None:
    """However it is written, it is enforced and forwarded as `chat/completions`."""
    target = parsed(spelling)
    assert target.endpoint is ENDPOINTS["chat/completions"]
    assert target.endpoint.enforced
    assert target.path == "chat/completions"


@pytest.mark.parametrize(
    "target",
    [
        "/v1/%2e%2e/v1/chat/completions",
        "/v1/./chat/completions",
        "/v1/chat/../chat/completions",
        "/v1/files%2F..%2Fchat/completions",
        "/v1/..",
        "/v1/files/..;/chat/completions",
        "/v1/files\\..\\chat\\completions",
        "/v1/%252e%252e/v1/chat/completions",
        "/v1/chat%00/completions",
        "/v1/chat/completions%0d%0aX-Injected:%201",
        "/v1/chat/completions%20",
        "/v1/chat/completions%7f",
        "/v1/chat/completions;%00",
        "/v1/chat/completions x",
        "/v1/files/ü",
        "/v1/files?name=ü",
        "/v1/files?name=\udcff",
    ],
)
def test_what_providers_read_differently_is_refused(target: str) -> None:
    """Dot segments, control characters and raw non-ASCII are a 400."""
    with pytest.raises(BadRequest):
        parse_target(target)


@pytest.mark.parametrize(
    "target",
    [
        *("/", "/v1", "/v1/", "/v2/chat/completions", "/chat/completions", "/healthz", ""),
        *("/api/chat/completions", "/users/v1/x", "/x/../v1/chat/completions", "*"),
        *("/%761/chat/completions%3Fx", "/v1%2Fchat%252Fcompletions", "/api%2Fv1/messages"),
    ],
)
def test_what_is_not_below_the_prefix_is_no_target(target: str) -> None:
    """Only a prefix in plain letters is one, or an escape would be undone twice."""
    assert parse_target(target) is None


@pytest.mark.parametrize(
    "path",
    [
        "files",
        "Files//a",
        "fine_tuning/jobs/ft-1/",
        "files/a%2Fb",
        "files/%C3%BC",
        "x;y",
        "a%252Fb#c",
    ],
)
def test_unknown_endpoint_passes_in_its_own_spelling(path: str) -> None:
    """What is not in the table is not ours to change, nor to enforce anything on."""
    target = parsed(f"/v1/{path}")
    assert target.path == path
    assert not target.endpoint.known
    assert not target.endpoint.enforced


@pytest.mark.parametrize("query", ["a=1&b=%20", "x=%2e%2e/;y", "?", "a=1?b", "&&", "q=%00"])
def test_query_is_kept_byte_for_byte(query: str) -> None:
    """The query is the provider's; not a character of it is read or changed."""
    for path in ("chat/completions", "files/a"):
        target = parsed(f"/v1/{path}?{query}")
        assert target.query == query
        assert target.path == f"{path}?{query}"


def test_empty_query_is_none() -> None:
    """A question mark alone asks for nothing."""
    assert parsed("/v1/models?").path == "models"


@pytest.mark.parametrize(
    ("target", "envelope"),
    [
        ("/v1/chat/completions", Envelope.OPENAI),
        ("/v1/files", Envelope.OPENAI),
        ("/api/v1/chat/completions", Envelope.OPENROUTER),
        ("/api/v1/generation", Envelope.OPENROUTER),
        ("/v1/messages", Envelope.ANTHROPIC),
        ("/api/v1/Messages", Envelope.ANTHROPIC),
        ("/v1/messages/count_tokens", Envelope.ANTHROPIC),
    ],
)
def test_errors_speak_the_language_of_the_api(target: str, envelope: Envelope) -> None:
    """Anthropic's by endpoint, OpenRouter's by prefix, else OpenAI's."""
    assert parsed(target).envelope is envelope


def test_only_what_generates_nothing_is_free() -> None:
    """Moderations take no `user`, and counting tokens serves none; every other endpoint of the
    table wants one where ids are enforced."""
    free = {path for path, endpoint in ENDPOINTS.items() if not endpoint.enforced}
    assert free == {"moderations", "messages/count_tokens", "responses/input_tokens"}
    assert all(endpoint.known for endpoint in ENDPOINTS.values())


@pytest.mark.parametrize(
    ("path", "modern"),
    [
        ("engines/davinci/completions", "completions"),
        ("Engines//davinci/Completions/", "completions"),
        ("engines/davinci;x/completions;y", "completions"),
        ("engines/davinci%2Fcompletions", "completions"),
        ("engines/davinci/chat/completions", "chat/completions"),
        ("engines/davinci/embeddings", "embeddings"),
    ],
)
def test_an_old_form_of_an_endpoint_has_the_rules_of_the_new_one(path: str, modern: str) -> None:
    """User ids are enforced and usage is read where a provider still answers there; the address
    goes out in one spelling, and names the model."""
    endpoint, new = parsed(f"/v1/{path}").endpoint, ENDPOINTS[modern]
    assert (endpoint.path, endpoint.model) == (f"engines/davinci/{modern}", "davinci")
    assert endpoint.known
    assert endpoint.enforced
    assert (endpoint.dialect, endpoint.api_type) == (new.dialect, new.api_type)


@pytest.mark.parametrize(
    ("asked", "model", "path"),
    [
        ("engines/fast/completions?a=/b", "davinci", "engines/davinci/completions?a=/b"),
        ("engines/fast/chat/completions", "openai/gpt", "engines/openai%2Fgpt/chat/completions"),
        ("engines/caf%C3%A9/embeddings", "café", "engines/caf%C3%A9/embeddings"),
        ("engines/fast/completions", None, "engines/fast/completions"),
        ("completions", "davinci", "completions"),
    ],
)
def test_an_address_names_the_model_as_its_provider_does(
    asked: str, model: str | None, path: str
) -> None:
    """An alias of the configuration means nothing to the provider, in an address as in a body."""
    assert parsed(f"/v1/{asked}").path_for(model) == path


@pytest.mark.parametrize(
    "path", ["engines", "engines/a", "engines/a/files", "engines//completions"]
)
def test_other_addresses_of_engines_pass(path: str) -> None:
    """What is none of the table's endpoints in the old form is as unknown as any other."""
    assert not parsed(f"/v1/{path}").endpoint.known


@given(st.text(alphabet="/.%;vV1 chat2FfEe", max_size=20))
def test_what_is_forwarded_is_what_was_checked(tail: str) -> None:
    """Parsing the forwarded path again changes nothing: there is no second spelling left."""
    try:
        target = parse_target(f"/v1/{tail}")
    except BadRequest:
        return
    if target is not None:
        again, endpoint = parsed(f"/v1/{target.path}").endpoint, target.endpoint
        assert (again.path, again.known) == (endpoint.path, endpoint.known)


def test_longest_path() -> None:
    """A path goes on the record, so it has a limit; a query does not."""
    longest = "/v1/" + "x" * (MAX_PATH - 4)
    assert parsed(f"{longest}?{'q' * MAX_PATH}").endpoint.path == longest[4:]
    with pytest.raises(BadRequest, match="over 1,024 characters"):
        parse_target(longest + "x")
