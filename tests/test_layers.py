"""The shape of the code: who may import whom, how long a file may be, and what a test must say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "gateway"
FILES = sorted(ROOT.rglob("*.py"))
FOREIGN = re.compile(r"/\.|node_modules")

# A file imports from lines above its own; beside it on its line only within its own package.
LAYERS = """
    __init__
    envelope
    errors units calendar money redisurl
    config
    sockets
    configfile
    generation
    calls
    pricing
    metering
    keys
    routing
    policies
    ledger
    metrics
    wire
    proxy
    tracing
    api
    dashboard
    assembly
    app
    server
    processes
    mock
    demo
    commands
    cli
    __main__
"""
RANKS = {name: rank for rank, line in enumerate(LAYERS.split("\n")) for name in line.split()}
UNLISTED = {"__init__", "commands", "mock.dialects", "ledger.sqlite.migrations"}
"""Packages whose files are the layers, or all of a kind."""
ROOTS_OF_COMPOSITION = {"assembly", "app", "server"}
MAY_COMPOSE = {"app", "server", "processes", "demo", "commands", "cli", "__main__"}


def module_of(path: Path) -> str:
    """`gateway/ledger/store.py` -> `ledger.store`; a package is its own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in FILES}


def imports_of(path: Path) -> Iterator[str]:
    """The modules of this package that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in (name.removeprefix("gateway.") for name in named if "gateway." in name):
                yield name if name in MODULES else name.rpartition(".")[0] or "__init__"
        elif isinstance(node, ast.Import):
            yield from (a.name[8:] for a in node.names if a.name.startswith("gateway."))


IMPORTS = {module_of(path): set(imports_of(path)) for path in FILES}


def layer_of(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", IMPORTS)
def test_imports_point_down(module: str) -> None:
    """A file imports from its own package and from the layers below it."""
    layer = layer_of(module)
    assert layer in RANKS, f"give {layer} its place in LAYERS"
    others = {layer_of(imported) for imported in IMPORTS[module]} - {layer}
    assert {other for other in others if RANKS[other] >= RANKS[layer]} == set()


def test_nothing_imports_in_a_circle() -> None:
    """Taking away what imports nothing that is left, again and again, leaves nothing."""
    left = dict(IMPORTS)
    while free := {module for module, imported in left.items() if not imported & left.keys()}:
        left = {module: left[module] for module in left.keys() - free}
    assert left == {}


def test_only_commands_compose() -> None:
    """Nobody but what starts a server knows the application or the server."""
    composing = {m for m, imported in IMPORTS.items() if imported & ROOTS_OF_COMPOSITION}
    assert {layer_of(module) for module in composing} <= MAY_COMPOSE


def sources(*folders: str) -> list[Path]:
    """What is ours in them: not what was installed there."""
    found = (path for folder in folders for path in (ROOT.parent / folder).rglob("*.py"))
    return sorted(path for path in found if not FOREIGN.search(str(path.relative_to(ROOT.parent))))


@pytest.mark.parametrize(
    "path",
    sources("gateway", "tests", "bench"),
    ids=lambda path: str(path.relative_to(ROOT.parent)),
)
def test_file_is_short_and_says_what_it_is(path: Path) -> None:
    """At most 400 lines, a docstring on top, no function over 60 lines, no `global`."""
    text = path.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(tree) or not text
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Global), f"line {node.lineno}: state in a global"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} is too long"


def test_nothing_is_called_by_what_it_is_not() -> None:
    """No `utils`, no `helpers`: a module is named after its subject."""
    shapeless = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert {part for module in MODULES for part in module.split(".")} & shapeless == set()


@pytest.mark.parametrize(
    "package",
    [path for path in FILES if path.stem == "__init__" and module_of(path) not in UNLISTED],
    ids=module_of,
)
def test_a_package_says_what_its_files_are_for(package: Path) -> None:
    """Its docstring names each of them."""
    text = ast.get_docstring(ast.parse(package.read_text())) or ""
    files = {path.stem for path in package.parent.glob("[!_]*.py")}
    assert files - set(re.findall(r"\w+", text)) == set()


@pytest.mark.parametrize("path", sources("tests"), ids=lambda path: path.stem)
def test_tests_say_what_they_hold(path: Path) -> None:
    """Each has a docstring, and stands in a file that has the name of one."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tests = [
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, functions) and node.name.startswith("test_")
    ]
    assert [test.name for test in tests if not ast.get_docstring(test)] == []
    assert bool(tests) == path.stem.startswith("test_")
