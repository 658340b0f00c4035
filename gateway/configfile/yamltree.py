"""YAML text as a plain tree that remembers the line of everything in it.

Beside YAML itself, a scalar may hold `${NAME}` or `${NAME:-default}`, replaced from a mapping such
as the process's environment after the text was parsed, so that no value can add structure. The
default is taken when the variable is unset or empty; without one, either is a fault. `${file:PATH}`
is replaced by what a file holds, which must be something. `$$` is a literal `$`. What a plain
scalar means (`8080`, `true`) is decided after the replacement; a quoted one stays a string.

Keys are always strings, spelled as written. Anchors, aliases and merge keys (`<<`) work; tags are
refused.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec
import yaml
from msgspec import UNSET

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the tree down to a value."""

ReadFile = Callable[[str], str | None]
"""The text of a file, by the path as written; None where it cannot be read."""

MAX_NODES = 100_000
"""Aliases let a short text stand for an endless tree; no configuration has this many values."""

_REFERENCE = re.compile(
    r"\$ (?: (?P<dollar>\$) | \{ (?:"
    r" (?: (?P<name>[A-Za-z_]\w*) (?: :- (?P<default>[^}]*) )? | file: (?P<file>[^}]+) ) \} )? )",
    re.ASCII | re.VERBOSE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MERGE = "tag:yaml.org,2002:merge"
_TYPED = {f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null")}


class Fault(msgspec.Struct, frozen=True):
    """Something that is wrong with the text at `line`, and what was expected there."""

    line: int
    path: KeyPath
    expected: str


class Document(msgspec.Struct, frozen=True):
    """A tree of dict, list, str, int, float, bool and None.

    `msgspec.UNSET` stands for every value that is the subject of one of the `faults`, the whole
    tree's place included.
    """

    root: object
    lines: Mapping[KeyPath, int]
    faults: tuple[Fault, ...]

    def line(self, path: KeyPath) -> int:
        """Where the value at `path` is written, or the closest thing around it; from 1."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def _no_file(name: str) -> None:
    return None


def parse(text: str, environ: Mapping[str, str], read_file: ReadFile = _no_file) -> Document:
    """Read one YAML 1.1 document. Never raises; an empty one has the root None."""
    builder = _Builder(environ, read_file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        root = None if node is None else builder.value(node, (), _line(node))
    except (yaml.YAMLError, RecursionError) as error:
        return Document(UNSET, {}, (_unreadable(error, text),))
    return Document(root, builder.lines, tuple(builder.faults))


class _Builder:
    """Turns the nodes of one document into values, and notes their lines and faults on the way."""

    def __init__(self, environ: Mapping[str, str], read_file: ReadFile) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[Fault] = []
        self._environ = environ
        self._read_file = read_file
        self._yaml = yaml.SafeLoader("")
        self._around: set[int] = set()
        self._nodes = 0

    def value(self, node: yaml.Node, path: KeyPath, line: int) -> object:
        self.lines[path] = line
        if node.tag != self._usual_tag(node):
            return self._fault(line, path, "Expected a value without a YAML tag")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path, line)
        with self._inside(node):
            if isinstance(node, yaml.MappingNode):
                entries = self._entries(node, path).items()
                return {key: self.value(item, (*path, key), at) for key, (at, item) in entries}
            items = enumerate(node.value)
            return [self.value(item, (*path, index), _line(item)) for index, item in items]

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath, line: int) -> object:
        text = self._text(node, path, line)
        if text is None:
            return UNSET
        tag = self._usual_tag(yaml.ScalarNode("", text, style=node.style))
        if tag not in _TYPED:
            return text
        try:
            return self._yaml.construct_object(yaml.ScalarNode(tag, text))
        except ValueError:  # looks like a number to YAML, but not to Python
            return text

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, tuple[int, yaml.Node]]:
        """Key -> its line and its value; merged ones first, a mapping's own win."""
        own: dict[str, tuple[int, yaml.Node]] = {}
        merged: dict[str, tuple[int, yaml.Node]] = {}
        for key_node, item in node.value:
            line = _line(key_node)
            if key_node.tag == _MERGE:
                merged = {**self._merged(item, path), **merged}
            elif (key := self._key(key_node, path)) is None:
                continue
            elif key in own:
                first = own[key][0]
                self._fault(line, (*path, key), f"Expected every key once, line {first} has it too")
            else:
                own[key] = (line, item)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, path: KeyPath) -> dict[str, tuple[int, yaml.Node]]:
        """The entries that `<<: node` brings; of several mappings the earlier one wins."""
        entries: dict[str, tuple[int, yaml.Node]] = {}
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                expected = "Expected a mapping, or a list of mappings, to merge"
                self._fault(_line(source), (*path, "<<"), expected)
                continue
            with self._inside(source):
                entries = {**self._entries(source, path), **entries}
        return entries

    def _key(self, node: yaml.Node, path: KeyPath) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            return self._text(node, path, _line(node))
        self._fault(_line(node), path, "Expected keys that are plain text")
        return None

    def _text(self, node: yaml.Node, path: KeyPath, line: int) -> str | None:
        """The scalar with its references replaced; None after a fault for each that fails."""
        failed = [ref for ref in _REFERENCE.finditer(node.value) if self._replacement(ref) is None]
        for reference in failed:
            self._fault(line, path, _reference_expected(reference))
        text = _REFERENCE.sub(lambda reference: self._replacement(reference) or "", node.value)
        if _SURROGATE.search(text):
            self._fault(line, path, "Expected text that UTF-8 can encode")
            return None
        return None if failed else text

    def _replacement(self, reference: re.Match[str]) -> str | None:
        if reference["dollar"]:
            return "$"
        if reference["file"]:
            return self._read_file(reference["file"]) or None
        if reference["name"] is None:
            return None
        return self._environ.get(reference["name"]) or reference["default"]

    def _usual_tag(self, node: yaml.Node) -> str:
        """The tag that YAML gives to such a node when the text has none."""
        plain = not isinstance(node, yaml.ScalarNode) or node.style is None
        tag = self._yaml.resolve(type(node), node.value, (plain, not plain))  # type: ignore[no-untyped-call]
        return str(tag)

    def _fault(self, line: int, path: KeyPath, expected: str) -> object:
        self.faults.append(Fault(line, path, expected))
        return UNSET

    @contextmanager
    def _inside(self, node: yaml.Node) -> Iterator[None]:
        """While `node`'s contents are read; a node inside itself, or too many, is an error."""
        self._nodes += len(node.value)
        if id(node) in self._around:
            raise _alias_error("an alias stands inside what it stands for", node)
        if self._nodes > MAX_NODES:
            raise _alias_error(f"the aliases make more than {MAX_NODES} values", node)
        self._around.add(id(node))
        try:
            yield
        finally:
            self._around.remove(id(node))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _alias_error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _reference_expected(reference: re.Match[str]) -> str:
    if file := reference["file"]:
        return f"Expected `{file}` to be a file with text in UTF-8 that can be read"
    if name := reference["name"]:
        return f"Expected the environment variable `{name}` to be set and not empty"
    forms = "`${NAME}`, `${NAME:-default}` or `${file:PATH}`"
    return f"Expected {forms}; a literal `${{` is written `$${{`"


def _unreadable(error: Exception, text: str) -> Fault:
    """Why there is no tree. PyYAML's own words, less the names it quotes: one may be a secret."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Fault(
            line, (), f"Expected text without the control character {error.character:#04x}"
        )
    if not isinstance(error, yaml.MarkedYAMLError):
        return Fault(1, (), "Expected fewer levels of nesting")
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    reason = ", ".join(part for part in (error.context, error.problem) if part)
    reason = re.sub(r"(alias|anchor|handle) '[^']*'", r"\1", reason)
    if "${" in "".join(text.splitlines()[line : line + 1]):
        reason += "; inside braces or brackets, `${NAME}` needs quotes"
    return Fault(line + 1, (), f"Expected valid YAML: {reason}")
