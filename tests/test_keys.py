"""Keys: which field holds it, whose it is, what its role may do."""

from hashlib import sha256

import pytest

from gateway.calls.head import Headers
from gateway.calls.request import Request
from gateway.config import Config, Key, Policies, Provider
from gateway.errors import Forbidden, Unauthorized
from gateway.keys import Keyring
from tests.parts.requests import request

APP, OPS = "sk-app", "sk-ops"
OPS_HASH = sha256(OPS.encode()).hexdigest()
PROVIDERS = (Provider(name="a", base_url="https://a.example"),)
KEYS = (
    Key(name="my-app", key=(APP,), enforce_user_ids=True),
    Key(name="ops", sha256=(OPS_HASH.upper(),), role="management"),
)


def bearer(key: str) -> Request:
    return request((b"Authorization", f"Bearer {key}".encode()))


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(Config(keys=KEYS, providers=PROVIDERS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Authorization", b"Bearer sk-app"),
        (b"authorization", b"bearer  sk-app "),
        (b"Authorization", b"sk-app"),
        (b"X-Api-Key", b"sk-app"),
        (b"api-key", b"sk-app"),
        (b"x-usagepanda-api-key", b"sk-app"),
        (b"Helicone-Auth", b"Bearer sk-app"),
    ],
)
def test_key_may_stand_in_any_clients_field(keyring: Keyring, name: bytes, value: bytes) -> None:
    """OpenAI's, Anthropic's, Azure's, Usage Panda's and Helicone's clients all get in."""
    assert keyring.caller(request((name, value))).name == "my-app"


@pytest.mark.parametrize("field", [b"x-usagepanda-api-key", b"helicone-auth"])
def test_our_own_fields_go_before_the_providers(keyring: Keyring, field: bytes) -> None:
    """With our key in its own field, `Authorization` is free for the provider's."""
    asked = request((b"Authorization", b"Bearer sk-openai"), (field, b"Bearer sk-app"))
    assert keyring.caller(asked).name == "my-app"


@pytest.mark.parametrize("value", [b"", b"  ", b"Bearer", b"Bearer ", b"bearer   "])
def test_empty_field_presents_nothing(value: bytes) -> None:
    """A field without a key in it is passed over; the scheme alone is no key that is known."""
    asked = request((b"Helicone-Auth", value))
    assert asked.head.parsed.key in (None, b"Bearer", b"bearer")
    with pytest.raises(Unauthorized):
        Keyring(Config(keys=KEYS, providers=PROVIDERS)).tenant(asked)


def test_secrets_of_one_key_are_one_tenant() -> None:
    """While one secret takes the other's place, both are let in, under one name and its rules; what
    was begun with one is known by that one."""
    key = Key(name="my-app", key=("sk-new", "sk-old"), enforce_user_ids=True)
    keyring = Keyring(Config(keys=(key,), providers=PROVIDERS))
    new, old = keyring.caller(bearer("sk-new")), keyring.caller(bearer("sk-old"))
    assert (new.name, new.role, new.policies) == (old.name, old.role, old.policies)
    assert new.policies.enforce_user_ids
    hashes = [sha256(secret).hexdigest() for secret in (b"sk-new", b"sk-old")]
    assert [new.key_hash, old.key_hash] == hashes
    assert [keyring.name_by_hash(each) for each in hashes] == ["my-app", "my-app"]


def test_missing_and_unknown_keys_are_401(keyring: Keyring) -> None:
    """No key, a wrong one, another case, a part: none is let in."""
    with pytest.raises(Unauthorized, match="Missing Authentication header"):
        keyring.tenant(request())
    for wrong in ("sk-other", "SK-APP", "sk-ap", "sk-app2", OPS_HASH, "sk-äpp"):
        with pytest.raises(Unauthorized, match="not known"):
            keyring.tenant(bearer(wrong))


def test_refusal_does_not_tell_the_key(keyring: Keyring) -> None:
    """What was presented is a secret, if a wrong one."""
    with pytest.raises(Unauthorized) as caught:
        keyring.tenant(bearer("sk-secret"))
    assert "sk-secret" not in str(caught.value)


def test_roles(keyring: Keyring) -> None:
    """Client keys call models, management keys manage, and neither does the other's."""
    assert keyring.caller(bearer(APP)).role == "client"
    assert keyring.manager(bearer(OPS)).name == "ops"
    with pytest.raises(Forbidden, match="cannot call models"):
        keyring.caller(bearer(OPS))
    with pytest.raises(Forbidden, match="Only management keys"):
        keyring.manager(bearer(APP))


@pytest.mark.parametrize("headers", [[], [(b"Authorization", b"Bearer whatever")]])
def test_gateway_without_keys_is_open(headers: Headers) -> None:
    """Everyone is the one tenant that may do everything; a key is not looked at."""
    policies = Policies(enforce_user_ids=True)
    keyring = Keyring(Config(providers=PROVIDERS, policies=policies))
    tenant = keyring.caller(request(*headers))
    assert tenant == keyring.manager(request(*headers))
    assert (tenant.name, tenant.policies, tenant.key_hash) == ("default", policies, None)


def test_key_may_change_its_own_policies() -> None:
    """`enforce_user_ids` of a key replaces that one setting and leaves the others."""
    policies = Policies(header_override="deny", message_prefix="")
    keyring = Keyring(Config(keys=KEYS, providers=PROVIDERS, policies=policies))
    found = keyring.tenant(bearer(APP)).policies
    assert (found.enforce_user_ids, found.header_override, found.message_prefix) == (
        True,
        "deny",
        "",
    )
    assert keyring.tenant(bearer(OPS)).policies == policies


def test_tenant_is_named_by_its_keys_hash(keyring: Keyring) -> None:
    """OpenRouter's `api_key_hash` finds the tenant, in either case of the digits."""
    assert keyring.name_by_hash(OPS_HASH) == keyring.name_by_hash(OPS_HASH.upper()) == "ops"
    assert keyring.name_by_hash(sha256(APP.encode()).hexdigest()) == "my-app"
    assert keyring.tenant(bearer(OPS)).key_hash == OPS_HASH
    assert keyring.name_by_hash("0" * 64) is None


def test_whose_body_to_wait_for(keyring: Keyring) -> None:
    """That of whoever shows a key that is known, whatever it may do; without keys, anybody's."""
    assert keyring.knows(bearer(APP).head)
    assert keyring.knows(bearer(OPS).head)
    assert not keyring.knows(bearer("sk-other").head)
    assert not keyring.knows(request().head)
    assert Keyring(Config(providers=PROVIDERS)).knows(request().head)
