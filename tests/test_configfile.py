"""gateway.configfile: a file as a Config, or every problem with its line and key."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import Config, Section
from gateway.configfile import ConfigError, Problem, is_loopback, load, yamltree
from gateway.units import Duration, Size

PROVIDER = "providers:\n  - name: p\n    base_url: https://p.test/v1\n"
EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"
EXAMPLE_ENVIRON = {
    "APP_KEY": "sk-app",
    "OPS_KEY_SHA256": "0" * 64,
    "OPENAI_KEY_A": "sk-a",
    "OPENAI_KEY_B": "sk-b",
}


class Folder:
    """A folder for one configuration file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "config.yaml"

    def load(self, text: str, environ: Mapping[str, str] | None = None) -> Config:
        self.file.write_text(text, encoding="utf-8")
        return load(self.file, environ or {})

    def problems(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        """Each problem as `line key: expected`."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ)
        assert {problem.file for problem in caught.value.problems} == {str(self.file)}
        return [f"{p.line} {p.key}: {p.expected}" for p in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_file_becomes_a_config(folder: Folder) -> None:
    """Numbers, units, lists, records and the environment's values arrive in their fields."""
    config = folder.load(
        """
        server: {port: 9, max_body: 1MiB, drain: 1m30s}
        keys: [{name: k, key: "${KEY}"}]
        providers:
          - {name: p, base_url: http://p.test, weight: 1, models: [a, {name: b, upstream: c}],
             headers: {X-A: b}, health: {}, prices: {c: {input: 1, output: 0.5}}}
        sticky: {key: [user]}
        """,
        {"KEY": "sk-1"},
    )
    [provider] = config.providers
    assert config.server.port == 9
    assert config.server.max_body == Size(2**20)
    assert config.server.drain == Duration(90)
    assert config.keys[0].key == "sk-1"
    assert provider.upstream_models == {"a": "a", "b": "c"}
    assert provider.headers == {"X-A": "b"}
    assert provider.health is not None
    assert provider.prices["c"].output == 0.5
    assert config.sticky.key == ("user",)


def test_byte_order_mark_is_no_part_of_the_text(folder: Folder) -> None:
    """A file saved with a UTF-8 byte order mark is read."""
    assert folder.load("\ufeff" + PROVIDER).providers[0].name == "p"


def test_problem_is_one_line() -> None:
    """File, line, key and what is expected, each left out when there is none."""
    expected = "Expected a number"
    assert str(Problem("c.yaml", 12, "a[0].b", expected)) == "c.yaml:12: a[0].b: Expected a number"
    assert str(Problem("c.yaml", 1, "", expected)) == "c.yaml:1: Expected a number"
    assert str(Problem("c.yaml", None, "", expected)) == "c.yaml: Expected a number"


def test_error_holds_and_prints_all_problems() -> None:
    """ConfigError carries the problems, and is one line for each as a string."""
    problems = [Problem("c", 1, "a", "x"), Problem("c", 2, "b", "y")]
    error = ConfigError(problems)
    assert error.problems == tuple(problems)
    assert str(error) == "c:1: a: x\nc:2: b: y"


def test_missing_file(folder: Folder) -> None:
    """A file that is not there is one problem without a line."""
    with pytest.raises(ConfigError) as caught:
        load(folder.file, {})
    expected = f"{folder.file}: Expected a file that can be read: No such file or directory"
    assert str(caught.value) == expected


def test_folder_instead_of_a_file(folder: Folder) -> None:
    """A folder is one problem without a line."""
    with pytest.raises(ConfigError, match="Expected a file that can be read: Is a directory"):
        load(folder.path, {})


def test_file_that_is_not_utf8(folder: Folder) -> None:
    """Other encodings are one problem, at the line of the first wrong byte."""
    folder.file.write_bytes(b"a: 1\nb: \xe4\n")
    with pytest.raises(ConfigError) as caught:
        load(folder.file, {})
    assert caught.value.problems == (Problem(str(folder.file), 2, "", "Expected text in UTF-8"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1 : Expected a mapping, found nothing"),
        ("# nothing yet\n", "1 : Expected a mapping, found nothing"),
        ("- providers", "1 : Expected a mapping, found a list"),
        ("providers", "1 : Expected a mapping"),
        ("server: {}", "1 providers: Expected this key, it has no default"),
        ("providers: []", "1 providers: Expected a list with at least one entry"),
        ("a: b: c", "1 : Expected valid YAML: mapping values are not allowed here"),
    ],
)
def test_file_that_is_no_configuration(folder: Folder, text: str, problem: str) -> None:
    """What has not even the outline of a configuration is one problem."""
    assert folder.problems(text) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("server: {port: http}", "server.port: Expected a whole number from 0 to 65535"),
        ("server: {port: 65536}", "server.port: Expected a whole number from 0 to 65535"),
        ("server: {port: '80'}", "server.port: Expected a whole number from 0 to 65535, without"),
        ("server: {workers: 0}", "server.workers: Expected a whole number of at least 1"),
        ("server: {wire: slow}", "server.wire: Expected one of `aiohttp`, `fast`"),
        ("server: {host: 1}", "server.host: Expected a string: put it in quotes to make it one"),
        ("server: {max_body: 1 MiB}", "server.max_body: Expected a size such as `64KiB`"),
        ("server: {drain: 30}", "server.drain: Expected a duration such as `500ms`"),
        ("server: {drain: }", "server.drain: Expected a duration such as `500ms`"),
        ("server: {host: [a]}", "server.host: Expected a string, found a list"),
        ("server: [1]", "server: Expected a mapping, found a list"),
        ("server:", "server: Expected a mapping, found nothing"),
        ("keys: {a: b}", "keys: Expected a list, found a mapping"),
        ("keys: [5]", "keys[0]: Expected a mapping"),
        ("sticky: {load_factor: .inf}", "sticky.load_factor: Expected a finite number"),
        ("sticky: {load_factor: 0.5}", "sticky.load_factor: Expected a number of at least 1"),
        ("sticky: {slow_start: soon}", "sticky.slow_start: Expected a duration"),
        ("sticky: {key: [user, ip]}", "sticky.key[1]: Expected one of `fingerprint`"),
        ("policies: {enforce_user_ids: 'yes'}", "policies.enforce_user_ids: Expected `true` or"),
        ("ledger: {url: mysql://x}", "ledger.url: Expected sqlite:FILE, redis://"),
        ("ledger: {retention: {activity: 1y}}", "ledger.retention.activity: Expected a duration"),
    ],
)
def test_wrong_value(folder: Folder, text: str, problem: str) -> None:
    """A value of the wrong type or range: its line, its key, what is right in plain words."""
    [found] = folder.problems(f"{PROVIDER}{text}")
    assert found.startswith(f"4 {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("weight: -1", "weight: Expected a number from 0 to 1000"),
        ("weight: .nan", "weight: Expected a finite number"),
        ("api_key: ''", "api_key: Expected a string of visible ASCII characters without spaces"),
        ("api_key: 123", "api_key: Expected a string of visible ASCII characters without spaces: "),
        ("models: [a, 5]", "models[1]: Expected a string of 1 to 128 characters without control"),
        ("models: [{name: 5}]", "models[0].name: Expected a string of 1 to 128 characters"),
        ("models: [{upstream: a}]", "models[0].name: Expected this key, it has no default"),
        ("headers: {X-A: 1}", "headers.X-A: Expected a string: put it in quotes to make it one"),
        ("headers: [a]", "headers: Expected a mapping, found a list"),
        ("health: {path: models}", "health.path: Expected a path that begins with `/`"),
        ("prices: {gpt-4.1: {input: 1}}", 'prices["gpt-4.1"].output: Expected this key'),
        ("prices: {m: {input: x, output: 1}}", "prices.m.input: Expected a number of at least 0"),
        ("prices: {m: 1}", "prices.m: Expected a mapping"),
    ],
)
def test_wrong_value_in_a_provider(folder: Folder, text: str, problem: str) -> None:
    """Lists, and keys that are free, have their own lines and spelled-out paths."""
    [found] = folder.problems(f"{PROVIDER}    {text}")
    assert found.startswith(f"4 providers[0].{problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nmae: p", "nmae: Expected a known key, perhaps `name`"),
        ("base-url: x", "base-url: Expected a known key, perhaps `base_url`"),
        ("zzz: x", "zzz: Expected a known key: `name`, `base_url`, `api_key`, `weight`, `models`"),
        ('"a\\nb": x', r'["a\nb"]: Expected a known key: `name`'),
    ],
)
def test_unknown_key(folder: Folder, text: str, problem: str) -> None:
    """An unknown key names itself on its own line, and the key that was probably meant."""
    [found] = folder.problems(f"{PROVIDER}    {text}")
    assert found.startswith(f"4 providers[0].{problem}".replace(".[", "["))
    assert "\n" not in found


def test_missing_key_is_on_the_line_of_its_mapping(folder: Folder) -> None:
    """A required key that is absent is reported where its mapping begins."""
    problems = folder.problems(f"{PROVIDER}  - weight: 1\n    models: [a]\n")
    assert problems == [
        "4 providers[1].name: Expected this key, it has no default",
        "4 providers[1].base_url: Expected this key, it has no default",
    ]


def test_problem_of_the_text_is_reported_once(folder: Folder) -> None:
    """A missing variable is one problem, with no second one about the value it left."""
    environment = "Expected the environment variable `NONE` to be set and not empty"
    assert folder.problems(
        PROVIDER + "keys: ${NONE}\nserver:\n  host: 0.0.0.0\n  port: ${NONE}"
    ) == [
        f"4 keys: {environment}",
        f"7 server.port: {environment}",
    ]


def test_all_problems_in_the_order_of_their_lines(folder: Folder) -> None:
    """One run finds what is wrong with text, values and rules, in every section."""
    text = """\
server: {port: x}
policies: {header_override: maybe}
policies: {}
keys:
  - {name: a, key: sk-1}
  - {name: a, key: "${NONE}"}
  - {name: c, sha256: 5, key: sk-1, rule: client}
providers:
  - name: p
    base_url: ftp://p.test
    headers: {Host: x}
    timeouts: {idle: 0s}
  - name: p
    weight: -1
    base_url: http://p.test:port
sticky: {points: 0}
"""
    assert [problem.split(": ")[0] for problem in folder.problems(text)] == [
        "1 server.port",
        "2 policies.header_override",
        "3 policies",
        "6 keys[1].key",
        "6 keys[1].name",
        "7 keys[2].rule",
        "7 keys[2].sha256",
        "7 keys[2].sha256",
        "7 keys[2].key",
        "10 providers[0].base_url",
        "11 providers[0].headers.Host",
        "12 providers[0].timeouts.idle",
        "13 providers[1].name",
        "14 providers[1].weight",
        "15 providers[1].base_url",
        "16 sticky.points",
    ]


SHA256_OF_A = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            "[{name: a, key: a},\n{name: b, key: b},\n{name: a, key: c}]",
            "7 keys[2].name: Expected a value of its own, `keys[0].name` has the same",
        ),
        (
            "[{name: a, key: a},\n{name: b, key: a}]",
            "6 keys[1].key: Expected a value of its own, `keys[0].key` has the same",
        ),
        (
            f"[{{name: a, key: a}},\n{{name: b, sha256: {SHA256_OF_A.upper()}}}]",
            "6 keys[1].sha256: Expected a value of its own, `keys[0].key` has the same",
        ),
        ("[{name: a}]", "5 keys[0]: Expected exactly one of `key` and `sha256`"),
        ("[{name: a, key: ~}]", "5 keys[0]: Expected exactly one of `key` and `sha256`"),
        (
            f"[{{name: a, key: a,\nsha256: {SHA256_OF_A}}}]",
            "6 keys[0].sha256: Expected exactly one of `key` and `sha256`",
        ),
        ("[{name: a, sha256: ab}]", "5 keys[0].sha256: Expected a string of 64 hexadecimal digits"),
    ],
)
def test_rules_of_keys(folder: Folder, keys: str, problem: str) -> None:
    """A key has a name and a secret of its own, given in one way."""
    assert folder.problems(f"{PROVIDER}keys:\n  {keys}".replace("\n{", "\n  {")) == [problem]


def test_providers_have_different_names(folder: Folder) -> None:
    """The ring is keyed on names, so two providers cannot share one."""
    second = "  - base_url: https://q.test\n    name: p"
    expected = "Expected a value of its own, `providers[0].name` has the same"
    assert folder.problems(f"{PROVIDER}{second}") == [f"5 providers[1].name: {expected}"]


@pytest.mark.parametrize("port", ["x", "99999", "0", "-1"])
def test_base_url_needs_a_port_that_exists(folder: Folder, port: str) -> None:
    """A port that cannot be connected to is found before the first request."""
    text = f"providers:\n- name: p\n  base_url: http://p.test:{port}/v1"
    expected = "Expected an address with a valid host and port"
    assert folder.problems(text) == [f"3 providers[0].base_url: {expected}"]


@pytest.mark.parametrize("host", [":80", "[::1", "[x]"])
def test_base_url_needs_a_host(folder: Folder, host: str) -> None:
    """An address without a host, or with half an IPv6 one, is refused."""
    text = f"providers:\n- name: p\n  base_url: 'http://{host}'"
    expected = "Expected an address with a valid host and port"
    assert folder.problems(text) == [f"3 providers[0].base_url: {expected}"]


@pytest.mark.parametrize("second", ["a", "{name: a, upstream: c}"])
def test_models_of_a_provider_have_different_names(folder: Folder, second: str) -> None:
    """A client's model name can mean one model only."""
    text = f"{PROVIDER}    models:\n      - a\n      - b\n      - {second}"
    expected = "Expected a value of its own, `providers[0].models[0]` has the same"
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


def test_tls_files_exist_beside_the_configuration(folder: Folder) -> None:
    """Certificate and key are files; relative paths start from the configuration's folder."""
    (folder.path / "here.crt").touch()
    text = PROVIDER + "server:\n  tls:\n    cert: here.crt\n    key: ."
    expected = "Expected a file; the path is relative to this file's folder"
    assert folder.problems(text) == [f"7 server.tls.key: {expected}"]


def test_tls_files_are_absolute_in_the_result(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens them later needs not know where the configuration was, or from where."""
    (folder.path / "a.crt").touch()
    (folder.path / "a.key").touch()
    folder.file.write_text(f"{PROVIDER}server: {{tls: {{cert: a.crt, key: {folder.path}/a.key}}}}")
    monkeypatch.chdir(folder.path.parent)
    tls = load(Path(folder.path.name, "config.yaml"), {}).server.tls
    assert tls is not None
    assert (tls.cert, tls.key) == (str(folder.path / "a.crt"), str(folder.path / "a.key"))


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


SECRET = "sk-7f3a"


@pytest.mark.parametrize(
    "text",
    [
        f"    api_key: {SECRET} {SECRET}",
        f"    api_key: [{SECRET}]",
        f"    api_key: *{SECRET}",
        f"    api_key: &{SECRET} &{SECRET} x",
        f"    api_key: !{SECRET} x",
        f"    api_key: '{SECRET}",
        f"    api_key: {SECRET}: x",
        f"    api_key: ${{{SECRET}}}",
        f"    base_url: https://user:{SECRET}@p.test",
        f"    headers: {{Authorization: Bearer {SECRET}\u0001}}",
        f'    headers: {{Authorization: "{SECRET}\\n"}}',
        f"    headers: {{Authorization: [{SECRET}]}}",
        f"    headers: {SECRET}",
        f"keys: [{{name: a, key: '{SECRET} x'}}]",
        f"keys: [{{name: a, key: {SECRET}}}, {{name: b, key: {SECRET}}}]",
        f"keys: [{{name: a, key: {SECRET}, sha256: {SECRET}}}]",
        f"keys: [{{name: a, role: {SECRET}}}]",
        f"keys: {SECRET}",
        f"server: {{tls: {{cert: {SECRET}, key: {SECRET}}}}}",
        f"ledger: {{url: 'redi://:{SECRET}@h'}}",
        "    api_key: ${KEY}\n    headers:\n      X-A: ${KEY}\nserver:\n  port: ${KEY}",
    ],
)
def test_no_message_contains_a_secret(folder: Folder, text: str) -> None:
    """Whatever is wrong with a secret, or around it, the message does not print it."""
    assert SECRET not in "\n".join(folder.problems(PROVIDER + text, {"KEY": f"{SECRET}\n"}))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "base_url", "key", "server", "providers", "models", "keys"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(VALUES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tree_is_a_config_or_has_problems(folder: Folder, tree: object) -> None:
    """No file ends in another exception, and every problem has a line of its own."""
    folder.file.write_bytes(msgspec.yaml.encode(tree))
    problems: tuple[Problem, ...] = ()
    try:
        load(folder.file, {})
    except ConfigError as error:
        problems = error.problems
    assert all("\n" not in str(problem) for problem in problems)
    assert problems or isinstance(tree, dict)


def sections(value: Any, path: yamltree.KeyPath = ()) -> Iterator[tuple[yamltree.KeyPath, Section]]:
    """Every section in `value`, with its path."""
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Section):
        yield path, value
        inner = msgspec.structs.asdict(value).items()
    elif isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, tuple):
        inner = enumerate(value)
    for name, item in inner:
        yield from sections(item, (*path, name))


def all_sections(kind: type[Section] = Section) -> list[type[Section]]:
    return [each for child in kind.__subclasses__() for each in (child, *all_sections(child))]


@pytest.mark.parametrize("section", all_sections())
def test_example_shows_every_key(section: type[Section]) -> None:
    """The example is the reference: no key is missing from it."""
    text = EXAMPLE.read_text()
    for name in section.__struct_fields__:
        assert re.search(rf"^[ #-]*{name}:", text, re.MULTILINE), name


def test_example_states_the_defaults() -> None:
    """Where a value has a comment without `required` or `example`, it is the key's default."""
    text = EXAMPLE.read_text()
    document = yamltree.parse(text, EXAMPLE_ENVIRON)
    comments = [line.partition(" # ")[2] for line in text.split("\n")]
    checked = set()
    for path, record in sections(load(EXAMPLE, EXAMPLE_ENVIRON)):
        for field in msgspec.structs.fields(record):
            comment = comments[document.lines.get((*path, field.name), 0) - 1]
            default = (*path, field.name) in document.lines and comment
            if default and not comment.startswith(("required", "example")):
                assert getattr(record, field.name) == field.default, (*path, field.name)
                checked.add(field.name)
    assert {"host", "port", "max_body", "drain", "points", "journal", "activity"} < checked


def test_example_is_open_to_this_machine_only() -> None:
    """The example starts as it is, on a loopback address."""
    config = load(EXAMPLE, EXAMPLE_ENVIRON)
    assert is_loopback(config.server.host)
    assert [provider.name for provider in config.providers] == ["openai-a", "openai-b"]


@pytest.mark.parametrize("name", sorted(EXAMPLE_ENVIRON))
def test_example_needs_its_variables(name: str) -> None:
    """Each secret of the example comes from the environment, and is missed there."""
    with pytest.raises(ConfigError, match=f"Expected the environment variable `{name}`"):
        load(EXAMPLE, {**EXAMPLE_ENVIRON, name: ""})
