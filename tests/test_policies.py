"""All policies together, from the request's fields to the flags."""

import pytest

from gateway.calls.endpoint import parse_target
from gateway.calls.head import Headers
from gateway.calls.reader import read_call
from gateway.config import Config, Key, Policies, Provider
from gateway.keys import Keyring
from gateway.policies.enforce_user_ids import FLAG, enforce_user_ids
from gateway.policies.flags import POLICIES, flags_of
from gateway.policies.unknown_addresses import unknown_addresses
from tests.parts.requests import request

PROVIDERS = (Provider(name="a", base_url="https://a.example"),)


def flags(
    policies: Policies,
    key: Key,
    headers: Headers,
    target: str = "/v1/chat/completions",
    body: bytes = b"{}",
) -> list[str]:
    """The types of the flags of a request made with `key`."""
    asked = request((b"Authorization", b"Bearer secret"), *headers, target=target, body=body)
    keyring = Keyring(Config(keys=(key,), providers=PROVIDERS, policies=policies))
    tenant = keyring.caller(asked)
    parsed = parse_target(target)
    assert parsed is not None
    call = read_call(asked, parsed.endpoint, tenant.name)
    return [flag.type for flag in flags_of(call, tenant.policies)]


@pytest.mark.parametrize("configured", [True, False])
@pytest.mark.parametrize("of_key", [True, False, None])
def test_key_goes_before_the_policy(configured: bool, of_key: bool | None) -> None:
    """A key's own setting holds; without one the policy's does."""
    key = Key(name="my-app", key=("secret",), enforce_user_ids=of_key)
    enforced = configured if of_key is None else of_key
    found = flags(Policies(enforce_user_ids=configured), key, [])
    assert found == ([FLAG.type] if enforced else [])


def test_header_goes_before_the_key() -> None:
    """The request has the last word, in any case of name and value, unless that is denied."""
    key = Key(name="my-app", key=("secret",), enforce_user_ids=True)
    header = (b"X-UsagePanda-Enforce-User-IDs", b"False")
    assert flags(Policies(), key, [header]) == []
    assert flags(Policies(header_override="deny"), key, [header]) == [FLAG.type]
    off = Key(name="my-app", key=("secret",), enforce_user_ids=False)
    assert flags(Policies(), off, [(b"x-usagepanda-ENFORCE-user-ids", b" TRUE ")]) == [FLAG.type]


@pytest.mark.parametrize(
    "target",
    ["/V1/Chat/Completions", "//v1//chat/completions", "/v1/chat/completions/", "/v1/rerank"],
)
def test_no_spelling_of_a_path_slips_past(target: str) -> None:
    """The policy judges the endpoint that is forwarded to, however it was written."""
    key = Key(name="my-app", key=("secret",))
    assert flags(Policies(enforce_user_ids=True), key, [], target) == [FLAG.type]


@pytest.mark.parametrize("body", [b'{"user":""}', b'{"user":null}', b'{"user":"  "}', b""])
def test_blank_id_is_no_id(body: bytes) -> None:
    """An id that is there but empty satisfies nobody."""
    key = Key(name="my-app", key=("secret",))
    assert flags(Policies(enforce_user_ids=True), key, [], body=body) == [FLAG.type]


def test_every_policy_is_asked() -> None:
    """The tuple is the whole list, and passing all of them is no flag."""
    assert (enforce_user_ids, unknown_addresses) == POLICIES
    assert (
        flags(
            Policies(enforce_user_ids=True),
            Key(name="my-app", key=("secret",)),
            [],
            body=b'{"user":"u"}',
        )
        == []
    )
