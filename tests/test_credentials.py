"""The fields in which keys travel, beside what keys and heads are tested with."""

import pytest

from gateway.calls.credentials import credential, presented_key

BEARER = {"Authorization": "Bearer k"}


@pytest.mark.parametrize(
    ("path", "others", "expected"),
    [
        ("chat/completions", set(), BEARER),
        ("messages", set(), {"x-api-key": "k", **BEARER}),
        ("models", {b"anthropic-version"}, {"x-api-key": "k", **BEARER}),
        ("deployments/m/chat/completions", set(), {"api-key": "k"}),
    ],
)
def test_a_provider_gets_its_key_where_its_api_looks_for_it(
    path: str, others: set[bytes], expected: dict[str, str]
) -> None:
    """The path tells which API it is, or a field that only one API has."""
    assert credential("k", path, others) == expected


def test_no_key_is_made_up() -> None:
    """A provider without a key gets no field of Hearth's making."""
    assert credential(None, "messages", ()) == {}


def test_hearths_own_fields_come_first() -> None:
    """An empty one is passed over; `Bearer` is no part of a key."""
    fields = {b"helicone-auth": b"Bearer  ours ", b"authorization": b"theirs"}
    assert presented_key(fields) == b"ours"
    assert presented_key({**fields, b"helicone-auth": b" "}) == b"theirs"
