"""gateway.configfile: a file as a Config, or every problem with its line and key."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.configfile import ConfigError, Problem, load
from gateway.units import Duration, Size
from tests.parts.configs import PROVIDER, Folder


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
    assert config.keys[0].key == ("sk-1",)
    assert provider.upstream_models == {"a": "a", "b": "c"}
    assert provider.headers == {"X-A": "b"}
    assert provider.health is not None
    assert provider.prices["c"].output == 0.5
    assert config.sticky.key == ("user",)


def test_a_value_may_be_a_file_of_its_own(folder: Folder, tmp_path: Path) -> None:
    """`${file:PATH}` is what is in it, without the end of the line, read anew each time, so that a
    key can be exchanged while Hearth runs; a relative path starts at the configuration."""
    text = PROVIDER + '    api_key: "${file:openai-a}"\n'
    for key in ("sk-old", "sk-new"):
        (tmp_path / "openai-a").write_text(f"{key}\n")
        assert folder.load(text).providers[0].api_key == key
    absolute = PROVIDER + f"    api_key: ${{file:{tmp_path}/openai-a}}\n"
    assert folder.load(absolute).providers[0].api_key == "sk-new"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"])
def test_a_file_that_gives_no_value(folder: Folder, tmp_path: Path, content: bytes | None) -> None:
    """One that is missing, empty or no text is named, with the line that asks for it."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        folder.load(PROVIDER + "    api_key: ${file:secret}\n")
    [problem] = caught.value.problems
    assert problem.key == "providers[0].api_key"
    assert problem.expected == "Expected `secret` to be a file with text in UTF-8 that can be read"


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
        ("server: {workers: 0}", "server.workers: Expected a whole number from 1 to 512"),
        ("sticky: {floor: -1}", "sticky.floor: Expected a whole number from 0 to 1000000"),
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
        ("ledger: {url: sqlite://x.db}", "ledger.url: Expected sqlite:FILE, redis://"),
        ("ledger: {retention: {activity: 1y}}", "ledger.retention.activity: Expected a duration"),
    ],
)
def test_wrong_value(folder: Folder, text: str, problem: str) -> None:
    """A value of the wrong type or range: its line, its key, what is right in plain words."""
    [found] = folder.problems(f"{PROVIDER}{text}")
    assert found.startswith(f"4 {problem}")


@pytest.mark.parametrize(
    "text",
    [
        *(f"server: {{{key}: %d}}" for key in ("port", "workers", "max_body")),
        *(f"sticky: {{{key}: %d}}" for key in ("points", "floor")),
        "metrics: {users: %d}",
        "    max_in_flight: %d",
        "    ejection: {failures: %d}",
    ],
)
def test_number_that_no_worker_could_be_told(folder: Folder, text: str) -> None:
    """Messages to workers have 64 bits for a number, so each key refuses larger ones."""
    [found] = folder.problems(f"{PROVIDER}{text % 2**64}")
    assert found.startswith("4 ")
    assert "Expected a" in found


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
        ("prices: {m: {input: x, output: 1}}", "prices.m.input: Expected a number from 0 to 10000"),
        ("prices: {m: 1}", "prices.m: Expected a mapping"),
        (
            "prices: {m: {input: 1, output: 1, web_searches: 10}}",
            "prices.m.web_searches: Expected a known key, perhaps `web_search`",
        ),
        (
            "prices: {m: {input: 1, output: 1, web_search: -1}}",
            "prices.m.web_search: Expected a number from 0 to 10000",
        ),
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
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
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
