"""Heads that differ in their user alone."""

from gateway.calls.head import Head, UserHead


def test_user_of_a_head() -> None:
    """It is the first line's, as it came; the field stays among the others."""
    fields = [(b"Helicone-User-Id", b' "u" '), (b"helicone-user-id", b"v")]
    head = Head("POST", "/", fields)
    assert (head.user, head.headers) == (b' "u" ', fields)
    assert Head("POST", "/", []).user is None


def test_head_of_another_user() -> None:
    """Everything else is the shared head's, what is remembered for it included."""
    shared = Head("POST", "/v1/x", [(b"X-Title", b"app")], "1.0")
    head = UserHead(shared, b"u")
    assert (head.method, head.target, head.version) == ("POST", "/v1/x", "1.0")
    assert (head.user, head.fields[b"x-title"]) == (b"u", b"app")
    assert head.headers is shared.headers
    assert head.parsed is shared.parsed
    assert shared.user is None
