"""gateway.configfile.yamltree: YAML text as a tree with lines and environment variables."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gateway.configfile.yamltree import Document, KeyPath, parse

ENVIRON = {"PORT": "8080", "HOSTILE": "{a: 1}\nb: [2]", "EMPTY": "", "WORD": "yes please"}


def faults(document: Document) -> list[tuple[int, KeyPath, str]]:
    return [(fault.line, fault.path, fault.expected) for fault in document.faults]


def test_values_have_their_yaml_types() -> None:
    """Plain scalars are typed, quoted ones are strings."""
    document = parse("{a: 1, b: 1.5, c: true, d: null, e: x, f: '1', g: [~], h: {}}", {})
    assert document.root == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": None,
        "e": "x",
        "f": "1",
        "g": [None],
        "h": {},
    }
    assert not document.faults


def test_dates_are_strings() -> None:
    """A model named like a date stays what was written."""
    assert parse("2024-08-06", {}).root == "2024-08-06"


def test_keys_are_strings_as_written() -> None:
    """Keys are never typed: `4`, `on` and `null` are names here."""
    assert parse("{4: a, on: b, null: c, 1.50: d}", {}).root == {
        "4": "a",
        "on": "b",
        "null": "c",
        "1.50": "d",
    }


def test_every_value_has_its_line() -> None:
    """A mapping's value is on its key's line, a list's on its own."""
    document = parse("a: 1\nb:\n  - x\n  - c:\n      2\n", {})
    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
    }


def test_line_of_what_is_missing_is_the_line_around_it() -> None:
    """A path that is not there is on the line of the closest mapping that is."""
    document = parse("a: 1\nb:\n  - x: 1\n", {})
    assert [document.line(path) for path in (("b", 0, "y"), ("c", 1), ())] == [3, 1, 1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${PORT}", 8080),
        ("'${PORT}'", "8080"),
        ('"${PORT}"', "8080"),
        ("|-\n  ${PORT}", "8080"),
        ("1${PORT}", 18080),
        ("${PORT}/${PORT}", "8080/8080"),
        ("${NONE:-9090}", 9090),
        ("${EMPTY:-9090}", 9090),
        ("${PORT:-9090}", 8080),
        ("${NONE:-}", None),
        ('"${NONE:-}"', ""),
        ("${NONE:-a:-b$c}", "a:-b$c"),
        ("$PORT $ {PORT} 5$", "$PORT $ {PORT} 5$"),
        ("$${PORT} $$$$ $${", "${PORT} $$ ${"),
        ("${WORD}", "yes please"),
    ],
)
def test_references_are_replaced(text: str, value: object) -> None:
    """`${NAME}` and `${NAME:-default}` are replaced before a plain scalar gets its type."""
    document = parse(text, ENVIRON)
    assert document.root == value
    assert not document.faults


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_environment_never_adds_structure(value: str) -> None:
    """Whatever a variable holds, it stays one scalar."""
    document = parse('- ${X}\n- "${X}"\n- k: ${X}', {"X": value})
    assert isinstance(document.root, list)
    plain, quoted, mapping = document.root
    assert not isinstance(plain, dict | list)
    assert quoted == value
    assert mapping == {"k": plain} or plain != plain  # NaN


def test_references_work_in_keys() -> None:
    """A key may come from the environment, and is a string then too."""
    assert parse("${PORT}: x", ENVIRON).root == {"8080": "x"}


def test_environment_is_not_read_twice() -> None:
    """A value that looks like a reference is not one."""
    assert parse("${A}", {"A": "${B} $$", "B": "x"}).root == "${B} $$"


@pytest.mark.parametrize("text", ["${NONE}", "'${NONE}'", "${EMPTY}"])
def test_missing_variable_is_a_fault_at_its_place(text: str) -> None:
    """Unset or empty without a default names the variable, line and path; the rest is read."""
    document = parse(f"a: 1\nb:\n  - {text}\n  - 2", ENVIRON)
    assert document.root == {"a": 1, "b": [UNSET, 2]}
    name = text.strip("'${}")
    expected = f"Expected the environment variable `{name}` to be set and not empty"
    assert faults(document) == [(3, ("b", 0), expected)]


def test_all_missing_variables_are_named() -> None:
    """Two missing variables in one scalar are two faults."""
    assert [fault.expected.split("`")[1] for fault in parse("${A}${B}", {}).faults] == ["A", "B"]


@pytest.mark.parametrize("text", ["${", "${}", "${1X}", "${A B}", "${A-b}", "${PORT", "x ${ y"])
def test_malformed_reference_is_a_fault(text: str) -> None:
    """`${` that begins no reference is refused and the escape explained."""
    [(line, path, expected)] = faults(parse(f"a: '{text}'", ENVIRON))
    assert (line, path) == (1, ("a",))
    assert expected.startswith("Expected `${NAME}`")
    assert "`$${`" in expected


@pytest.mark.parametrize(("text", "environ"), [("${X}", {"X": "\udc80"}), ('"\\ud800"', {})])
def test_text_that_cannot_be_encoded_is_a_fault(text: str, environ: dict[str, str]) -> None:
    """Lone surrogates, from a variable that is not UTF-8 or an escape, are refused."""
    document = parse(text, environ)
    assert faults(document) == [(1, (), "Expected text that UTF-8 can encode")]


def test_duplicate_key_is_a_fault_and_the_first_one_holds() -> None:
    """A key that stands twice is refused at its second line, which names the first."""
    document = parse("a:\n  b: 1\n  c: 2\n  b: 3\n", {})
    assert document.root == {"a": {"b": 1, "c": 2}}
    assert faults(document) == [(4, ("a", "b"), "Expected every key once, line 2 has it too")]


def test_keys_may_not_be_collections() -> None:
    """A list as a key is refused."""
    document = parse("a: 1\n? [x]\n: 2", {})
    assert faults(document) == [(2, (), "Expected keys that are plain text")]


@pytest.mark.parametrize("value", ["!x 1", "!!str 5", "!!python/object:os.system {}", "!!set {a}"])
def test_tags_are_refused(value: str) -> None:
    """A tag that changes what a value is, Python objects above all, is a fault at its place."""
    document = parse(f"a: 1\nb: {value}", {})
    assert document.root == {"a": 1, "b": UNSET}
    assert faults(document) == [(2, ("b",), "Expected a value without a YAML tag")]


def test_aliases_repeat_their_anchor() -> None:
    """`*name` is what `&name` marked."""
    assert parse("{a: &x [1], b: *x}", {}).root == {"a": [1], "b": [1]}


def test_merge_keys_fill_in() -> None:
    """`<<` adds keys; a mapping's own win, then the earlier of the merged ones."""
    text = "- &a {x: 1, y: 1}\n- &b {y: 2, z: 2}\n- {<<: [*a, *b], x: 3}\n- {<<: *b, '<<': 4}"
    root = parse(text, {}).root
    assert isinstance(root, list)
    assert root[2] == {"x": 3, "y": 1, "z": 2}
    assert root[3] == {"y": 2, "z": 2, "<<": 4}


def test_merged_values_keep_the_line_where_they_are_written() -> None:
    """An error in a merged value is to be mended at the anchor."""
    document = parse("a: &a\n  x: 1\nb:\n  <<: *a\n", {})
    assert document.line(("b", "x")) == 2


def test_only_mappings_can_be_merged() -> None:
    """`<<` with anything else is a fault."""
    expected = "Expected a mapping, or a list of mappings, to merge"
    assert faults(parse("a:\n  <<: 1", {})) == [(2, ("a", "<<"), expected)]


@pytest.mark.parametrize("text", ["&a [*a]", "&a {b: *a}", "a: &a {<<: *a}", "&a [{b: [*a]}]"])
def test_recursive_aliases_are_refused(text: str) -> None:
    """A tree that contains itself is an error, not an endless loop."""
    expected = "Expected valid YAML: an alias stands inside what it stands for"
    assert faults(parse(text, {})) == [(1, (), expected)]


@pytest.mark.heavy
@pytest.mark.parametrize("entry", ["[{}]", "{{<<: [{}]}}"])
def test_alias_bombs_are_refused(entry: str) -> None:
    """Aliases of aliases that would make billions of values stop early."""
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, 12):
        nine = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} " + entry.format(nine))
    [(_, path, expected)] = faults(parse("\n".join(lines), {}))
    assert path == ()
    assert expected.startswith("Expected valid YAML: the aliases make more than")


@pytest.mark.heavy
@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused(opening: str) -> None:
    """Thousands of levels are a fault, not a crash."""
    assert faults(parse(opening * 3000, {})) == [(1, (), "Expected fewer levels of nesting")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: c: d", 2),
        ("a:\n\t- b", 2),
        ("a: [1", 1),
        ("a: 1\n---\nb: 2", 2),
        ("a: 1\nb: '", 2),
        ("a: 1\nb: *c", 2),
        ("a: &x 1\nb: &x 2", 2),
        ("a: 1\n%b", 2),
        ("a: 1\nb: \x01", 2),
        ("a: 1\n b: 2", 2),
    ],
)
def test_syntax_errors_have_their_line(text: str, line: int) -> None:
    """What is not YAML is one fault at the line where reading stopped."""
    document = parse(text, {})
    assert document.root is UNSET
    [(at, path, expected)] = faults(document)
    assert (at, path) == (line, ())
    assert expected.startswith("Expected ")
    assert "\n" not in expected


@pytest.mark.parametrize("text", ["a: {b: ${PORT}}", "a: [${PORT}]"])
def test_reference_in_a_flow_collection_needs_quotes(text: str) -> None:
    """YAML reads the brace of a plain `${NAME}` as its own there; the message says the way out."""
    [(line, _, expected)] = faults(parse(text, ENVIRON))
    assert line == 1
    assert expected.endswith("; inside braces or brackets, `${NAME}` needs quotes")
    assert parse("{b: '${PORT}'}", ENVIRON).root == {"b": "8080"}


@pytest.mark.parametrize(
    "value", ["*sk-secret", "!sk-secret!x y", "!sk-secret", "&sk-secret {", "'sk-secret"]
)
def test_syntax_errors_quote_no_secret(value: str) -> None:
    """A secret with a character that means something in YAML does not show up in the message."""
    document = parse(f"key: {value}", {})
    assert document.faults
    assert "secret" not in str(faults(document))


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~"])
def test_an_empty_document_is_none(text: str) -> None:
    """Nothing at all is a document too."""
    assert parse(text, {}).root is None


@pytest.mark.parametrize("text", ["0x_", "0b_", "9" * 5000])
def test_numbers_that_cannot_be_read_are_text(text: str) -> None:
    """What only looks like a number to YAML is left for the caller to judge."""
    assert parse(text, {}).root == text


_PLAIN = st.none() | st.booleans() | st.integers() | st.text("abc:#-'\"{}[]&*!| \n", max_size=8)
_TREES = st.recursive(
    _PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner)
)


@pytest.mark.heavy
@given(_TREES)
def test_agrees_with_pyyaml(tree: object) -> None:
    """Any plain tree written by PyYAML is read back as it was, and every value has a line."""
    text = yaml.safe_dump(tree)
    document = parse(text, {})
    assert document.root == tree
    assert not document.faults
    assert all(1 <= line <= text.count("\n") + 1 for line in document.lines.values())


@pytest.mark.heavy
@given(st.text(max_size=60))
def test_never_raises(text: str) -> None:
    """Any text is a document, if only one with a fault."""
    document = parse(text, {})
    assert document.root is not UNSET or document.faults
