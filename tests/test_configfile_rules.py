"""What is wrong with a configuration although every value is right on its own."""

from pathlib import Path

import pytest

from gateway.configfile import load
from gateway.sockets import is_loopback
from gateway.units import Duration
from tests.parts.certificates import CA
from tests.parts.configs import PROVIDER, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


SHA256_OF_A = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            "[{name: a, key: a},\n{name: b, key: b},\n{name: a, key: c}]",
            "7 keys[2].name: Expected a unique value, `keys[0].name` has the same",
        ),
        (
            "[{name: a, key: a},\n{name: b, key: a}]",
            "6 keys[1].key: Expected a unique value, `keys[0].key` has the same",
        ),
        (
            f"[{{name: a, key: a}},\n{{name: b, sha256: {SHA256_OF_A.upper()}}}]",
            "6 keys[1].sha256: Expected a unique value, `keys[0].key` has the same",
        ),
        ("[{name: a}]", "5 keys[0]: Expected exactly one of `key` and `sha256`"),
        ("[{name: a, key: ~}]", "5 keys[0]: Expected exactly one of `key` and `sha256`"),
        (
            f"[{{name: a, key: a,\nsha256: {SHA256_OF_A}}}]",
            "6 keys[0].sha256: Expected exactly one of `key` and `sha256`",
        ),
        (
            "[{name: a, sha256: ab}]",
            "5 keys[0].sha256: Expected a string of 64 hexadecimal digits",
        ),
        (
            "[{name: a, key: [b,\n'c d']}]",
            "6 keys[0].key[1]: Expected a string of visible ASCII characters without spaces",
        ),
        (
            "[{name: a, key: []}]",
            "5 keys[0].key: Expected one, or a list with at least one entry",
        ),
        (
            "[{name: a, key: [b,\nb]}]",
            "6 keys[0].key[1]: Expected a unique value, `keys[0].key[0]` has the same",
        ),
        (
            "[{name: a, key: [b, c]},\n{name: d, key: c}]",
            "6 keys[1].key: Expected a unique value, `keys[0].key[1]` has the same",
        ),
    ],
)
def test_rules_of_keys(folder: Folder, keys: str, problem: str) -> None:
    """A key has a name and a secret of its own, given in one way."""
    assert folder.problems(f"{PROVIDER}keys:\n  {keys}".replace("\n{", "\n  {")) == [problem]


@pytest.mark.parametrize(
    "network",
    ["10.0.0.1/8", "10.0.0.0/33", "proxy.test", "''", "' 10.0.0.1'", "10.0.0.1:80", "'[::1]'"],
)
def test_trusted_proxies_are_addresses_and_networks(folder: Folder, network: str) -> None:
    """What names none, or a network by another address than its first, is refused."""
    text = f"{PROVIDER}server:\n  trusted_proxies:\n    - 10.0.0.0/8\n    - {network}"
    expected = "Expected an IP address, or a network by its first one, such as `10.0.0.0/8`"
    assert folder.problems(text) == [f"7 server.trusted_proxies[1]: {expected}"]


def test_trusted_proxies_of_both_families(folder: Folder) -> None:
    """IPv4 and IPv6, one address or many."""
    networks = ("10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/32")
    text = f"{PROVIDER}server: {{trusted_proxies: {[*networks]}}}"
    assert folder.load(text).server.trusted_proxies == networks
    assert folder.load(PROVIDER).server.trusted_proxies == ()


def test_providers_have_different_names(folder: Folder) -> None:
    """The ring is keyed on names, so two providers cannot share one."""
    second = "  - base_url: https://q.test\n    name: p"
    expected = "Expected a unique value, `providers[0].name` has the same"
    assert folder.problems(f"{PROVIDER}{second}") == [f"5 providers[1].name: {expected}"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://cache/zero", "its path does not fit a single Redis"),
        (
            "redis+sentinel://a,b",
            "the name of the service is missing: redis+sentinel://HOST/SERVICE",
        ),
        ("redis://:hidden@cache?colour=red", "Object contains unknown field `colour`"),
    ],
)
def test_ledger_is_at_an_address(folder: Folder, url: str, why: str) -> None:
    """What no Redis can be reached at is found before the gateway starts."""
    text = f"{PROVIDER}ledger:\n  url: {url!r}\n"
    expected = f"5 ledger.url: Expected the address of a Redis: {why}"
    assert folder.problems(text) == [expected]


@pytest.mark.parametrize(
    "authority",
    [
        *("p.test:x", "p.test:99999", "p.test:0", "p.test:-1", ":80", "[::1", "[x]"),
        *("a..b", ".a", f"{'a' * 64}.test"),
    ],
)
def test_base_url_needs_a_host_and_a_port_that_can_be(folder: Folder, authority: str) -> None:
    """What cannot be connected to is found before the first request; a label of a name has 1 to 63
    characters (RFC 1035 section 2.3.4)."""
    text = f"providers:\n- name: p\n  base_url: 'http://{authority}/v1'"
    expected = "Expected an address with a valid host and port"
    assert folder.problems(text) == [f"3 providers[0].base_url: {expected}"]


@pytest.mark.parametrize("second", ["a", "{name: a, upstream: c}"])
def test_models_of_a_provider_have_different_names(folder: Folder, second: str) -> None:
    """A client's model name can mean one model only."""
    text = f"{PROVIDER}    models:\n      - a\n      - b\n      - {second}"
    expected = "Expected a unique value, `providers[0].models[0]` has the same"
    assert folder.problems(text) == [f"7 providers[0].models[2]: {expected}"]


def test_prices_are_for_models_that_are_served(folder: Folder) -> None:
    """A price under neither name of a served model would never be used."""
    prices = "\n".join(f"      {name}: {{input: 1, output: 1}}" for name in ("a", "b", "c", "d.e"))
    text = f"{PROVIDER}    models: [a, {{name: b, upstream: c}}]\n    prices:\n{prices}"
    expected = "Expected one of this provider's `models`"
    assert folder.problems(text) == [f'9 providers[0].prices["d.e"]: {expected}']


def test_prices_of_a_provider_of_any_model_are_free(folder: Folder) -> None:
    """Without `models`, any price may be set."""
    config = folder.load(PROVIDER + "    prices: {x: {input: 1, output: 1}}")
    assert "x" in config.providers[0].prices


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("'a b': x", "Expected a header name: letters, digits and hyphens"),
        ("'': x", "Expected a header name: letters, digits and hyphens"),
        ("'a:': x", "Expected a header name: letters, digits and hyphens"),
        ("Ä: x", "Expected a header name: letters, digits and hyphens"),
        ('X-A: "a\\r\\nX-B: c"', "Expected a header value without control characters"),
        ('X-A: "a\\n"', "Expected a header value without control characters"),
        ('X-A: "a\\0"', "Expected a header value without control characters"),
        ("X-A: ☃", "Expected a header value without control characters"),
        ("Host: x", "Expected another header, this one is set by Hearth"),
        ("content-length: '1'", "Expected another header, this one is set by Hearth"),
        ("Transfer-Encoding: chunked", "Expected another header, this one is set by Hearth"),
        ("CONNECTION: close", "Expected another header, this one is set by Hearth"),
    ],
)
def test_headers_of_a_provider(folder: Folder, header: str, expected: str) -> None:
    """A header that would break or forge the request is refused."""
    [problem] = folder.problems(f"{PROVIDER}    headers:\n      X-Good: 'a\tb ~'\n      {header}")
    assert problem.startswith("6 providers[0].headers")
    assert problem.endswith(f": {expected}")


@pytest.mark.parametrize(
    ("weight", "sticky", "is_good"),
    [
        (325, "", True),
        (326, "", False),
        (1000, "{points: 4000}", True),
        (62, "{points: 65536}", False),
    ],
)
def test_weights_make_a_ring_of_some_size(
    folder: Folder, weight: int, sticky: str, is_good: bool
) -> None:
    """Weights in thousandths would have each worker make millions of points before it can serve,
    and take longer than it has."""
    text = f"{PROVIDER}    weight: {weight}\n" + (f"sticky: {sticky}\n" if sticky else "")
    if is_good:
        assert folder.load(text).providers[0].weight == weight
    else:
        [problem] = folder.problems(text)
        assert problem.startswith("1 providers: Expected weights whose sum times `sticky.points`")


def test_some_provider_has_weight(folder: Folder) -> None:
    """With every provider drained, no call could go anywhere."""
    text = f"{PROVIDER}    weight: 0\n  - {{name: q, base_url: http://q.test, weight: 0.0}}"
    expected = "Expected at least one provider with a weight above 0"
    assert folder.problems(text) == [f"1 providers: {expected}"]


def test_a_provider_may_be_drained(folder: Folder) -> None:
    """One provider of weight 0 beside another is fine."""
    config = folder.load(f"{PROVIDER}  - {{name: q, base_url: http://q.test, weight: 0}}")
    assert [provider.weight for provider in config.providers] == [1, 0]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "''", "gateway.test"])
@pytest.mark.parametrize("keys", ["", "keys: []"])
def test_open_gateway_stays_on_this_machine(folder: Folder, host: str, keys: str) -> None:
    """Without keys, a host that the network can reach is refused, and the reason said."""
    [problem] = folder.problems(f"{PROVIDER}server:\n  host: '{host}'\n{keys}")
    assert problem.startswith("5 server.host: Expected a loopback address such as `127.0.0.1`")
    assert problem.endswith("anyone on the network could spend the providers' credit")


def test_gateway_with_keys_may_be_reached(folder: Folder) -> None:
    """With a key, any host may be bound."""
    config = folder.load(f"{PROVIDER}server: {{host: '::'}}\nkeys: [{{name: a, key: b}}]")
    assert config.server.host == "::"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_hosts(folder: Folder, host: str) -> None:
    """Names and addresses of this machine alone need no keys."""
    assert is_loopback(host)
    assert folder.load(f"{PROVIDER}server: {{host: '{host}'}}").server.host == host


def test_tls_files_are_read_beside_the_configuration(folder: Folder) -> None:
    """Certificate and key are files; relative paths start from the configuration's folder."""
    (folder.path / "here.crt").touch()
    text = PROVIDER + "server:\n  tls:\n    cert: here.crt\n    key: ."
    expected = "Expected a file that can be read; its path starts from this file's folder"
    assert folder.problems(text) == [f"7 server.tls.key: {expected}"]


def test_tls_files_belong_together(folder: Folder) -> None:
    """The key of another certificate is found before any worker stumbles over it."""
    for name in ("a", "b"):
        pem = CA.issue_cert("localhost").private_key_and_cert_chain_pem
        pem.write_to_path(folder.path / f"{name}.pem")
    [problem] = folder.problems(f"{PROVIDER}server:\n  tls: {{cert: a.pem, key: b.pem}}")
    assert problem.startswith("5 server.tls: Expected PEM files that belong together, ")


def test_tls_files_are_absolute_in_the_result(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens them later needs not know where the configuration was, or from where."""
    CA.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder.path / "a.pem")
    folder.file.write_text(f"{PROVIDER}server: {{tls: {{cert: a.pem, key: {folder.path}/a.pem}}}}")
    monkeypatch.chdir(folder.path.parent)
    tls = load(Path(folder.path.name, "config.yaml"), {}).server.tls
    assert tls is not None
    assert (tls.cert, tls.key) == (str(folder.path / "a.pem"), str(folder.path / "a.pem"))


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("server: {drain: 0s}", "4 server.drain"),
        ("    timeouts: {connect: 0s}", "4 providers[0].timeouts.connect"),
        ("    timeouts: {first_byte: 0m0s}", "4 providers[0].timeouts.first_byte"),
        ("    timeouts: {idle: 0.0ms}", "4 providers[0].timeouts.idle"),
        ("    health: {interval: 0d}", "4 providers[0].health.interval"),
    ],
)
def test_waiting_times_are_above_zero(folder: Folder, section: str, key: str) -> None:
    """What would time out, or repeat, at once is refused."""
    assert folder.problems(PROVIDER + section) == [f"{key}: Expected a duration above zero"]


def test_slow_start_and_retention_may_be_zero(folder: Folder) -> None:
    """Nothing is wrong with no slow start, and with keeping nothing."""
    config = folder.load(
        PROVIDER + "sticky: {slow_start: 0s}\nledger: {retention: {generations: 0d}}"
    )
    assert config.sticky.slow_start == Duration(0)
    assert config.ledger.retention.generations == Duration(0)


def test_moderation_is_asked_of_a_provider_there_is(folder: Folder) -> None:
    """A name that no provider has is a mistake, and so is no time at all."""
    text = f"{PROVIDER}policies:\n  moderation:\n    provider: q\n    timeout: 0s\n"
    assert folder.problems(text) == [
        "6 policies.moderation.provider: Expected the name of one of the `providers`",
        "7 policies.moderation.timeout: Expected a duration above zero",
    ]
    good = folder.load(text.replace("q", "p").replace("0s", "2s"))
    assert good.policies.moderation is not None
    assert good.policies.moderation.provider == "p"


def test_headers_to_the_collector(folder: Folder) -> None:
    """They are headers like those to a provider."""
    text = f"{PROVIDER}tracing:\n  endpoint: http://x\n  headers:\n    a b: c\n"
    assert folder.problems(text) == [
        '7 tracing.headers["a b"]: Expected a header name: letters, digits and hyphens'
    ]


def test_prices_are_what_a_model_may_cost(folder: Folder) -> None:
    """A price per token in the place of one for a million is told apart by its size."""
    text = f"{PROVIDER}    prices: {{m: {{input: 1.0e+300, output: 1}}}}"
    [problem] = folder.problems(text)
    assert "prices.m.input" in problem
    assert "10000" in problem
