"""gateway.config: what a record answers about itself."""

from hashlib import sha256

import msgspec
import pytest

from gateway.config import Config, Key, Model, Provider, Section
from tests.parts.configs import all_sections


def provider(**settings: object) -> Provider:
    return msgspec.convert({"name": "p", "base_url": "https://p.test/v1", **settings}, Provider)


def test_only_providers_are_required() -> None:
    """A file with one provider is a configuration, everything else has a default."""
    config = Config(providers=(provider(),))
    assert config.server.host == "127.0.0.1"
    assert [f.name for f in msgspec.structs.fields(Config) if f.required] == ["providers"]


@pytest.mark.parametrize("section", all_sections())
def test_sections_are_frozen_and_closed(section: type[Section]) -> None:
    """Every section is immutable and refuses keys that it does not know."""
    assert section.__struct_config__.frozen
    assert section.__struct_config__.forbid_unknown_fields


def test_key_hash_is_the_same_for_a_key_and_its_sha256() -> None:
    """A key and its digest, in whatever case, are one key."""
    digest = sha256(b"sk-1").hexdigest()
    assert Key(name="a", key=("sk-1",)).hashes == (digest,)
    assert Key(name="a", sha256=(digest.upper(),)).hashes == (digest,)


def test_a_key_may_have_several_secrets() -> None:
    """Given in clear or as digests, in the order in which they are written."""
    digests = tuple(sha256(secret).hexdigest() for secret in (b"sk-1", b"sk-2"))
    assert Key(name="a", key=("sk-1", "sk-2")).hashes == digests
    assert Key(name="a", sha256=digests).hashes == digests


def test_provider_without_models_serves_any_under_its_own_name() -> None:
    """No `models` means every model, unrenamed."""
    assert provider().upstream_models is None
    assert provider().serves("whatever")
    assert provider().upstream_model("whatever") == "whatever"


def test_provider_serves_the_names_clients_ask_for() -> None:
    """A renamed model is served under the asked name, and not under the upstream's."""
    serving = provider(models=["a", {"name": "fast", "upstream": "b"}])
    assert serving.models == ("a", Model(name="fast", upstream="b"))
    assert serving.upstream_models == {"a": "a", "fast": "b"}
    assert [serving.serves(model) for model in ("a", "fast", "b")] == [True, True, False]
    assert [serving.upstream_model(model) for model in ("a", "fast")] == ["a", "b"]


def test_provider_takes_calls_that_name_no_model() -> None:
    """A call without a model may go to any provider."""
    assert provider(models=["a"]).serves(None)


def test_provider_with_no_models_at_all_serves_none() -> None:
    """An empty list is not the same as an absent one."""
    assert not provider(models=[]).serves("a")


@pytest.mark.parametrize(
    "base_url",
    ["https://p.test", "http://127.0.0.1:8000/v1", "http://[::1]:80/", "https://p.test/a@b"],
)
def test_base_url_is_an_address(base_url: str) -> None:
    """Scheme, host, port and path make a base URL."""
    assert provider(base_url=base_url).base_url == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        "p.test/v1",
        "ftp://p.test",
        "https://",
        "https://user:secret@p.test",
        "https://p.test/?a=b",
        "https://p.test/#a",
        "https://p.test/ v1",
        "https://p.test/v1\n",
    ],
)
def test_base_url_has_nothing_else(base_url: str) -> None:
    """Credentials, queries, fragments and white space, a final line break too, are refused."""
    with pytest.raises(msgspec.ValidationError):
        provider(base_url=base_url)


@pytest.mark.parametrize("name", ["", "a\nb", "a\n", "\x7f", "x" * 129])
def test_names_are_short_and_printable(name: str) -> None:
    """A name can stand in a header and in a log line."""
    with pytest.raises(msgspec.ValidationError):
        provider(name=name)


@pytest.mark.parametrize("secret", ["", "a b", "a\n", "ä"])
def test_secrets_can_be_sent_in_a_header(secret: str) -> None:
    """A secret that no Authorization header could carry is refused."""
    with pytest.raises(msgspec.ValidationError):
        provider(api_key=secret)
