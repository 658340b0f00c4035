"""The compiled wheel: what is in it, and that it behaves as its source does."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from hatch_build import offered_last, sources

ROOT = Path(__file__).parent.parent
BEHAVIOUR = (
    *("answer_parser", "backlog", "call", "cancellation", "connection", "connection_pauses"),
    *("driver", "edge", "edge_read_ahead", "enduser", "entry", "failover", "framing", "freed"),
    *("head", "health", "keepalive"),
    *("increments", "journal", "keys", "last_providers", "ledger_tally", "line", "packing"),
    *("parcel", "metering_answer", "metering_chat", "metering_extras", "metering_messages"),
    *("metering_pattern", "metering_refusal", "metering_responses", "metering_stream"),
    *("metering_usage", "metrics_counters", "outbox", "parsed_fields", "plan", "pool", "pricing"),
    *("pricing_premiums", "request_head", "redis_resp", "rewrite", "ring", "settlement"),
    *("sqlite", "store", "streaming", "tracing"),
    *("trusted_proxies", "unsent", "upstream", "verdict"),
)
"""What these files hold, they hold of either build."""


def patterns() -> Mapping[str, Sequence[str]]:
    """The build hook's configuration."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: Mapping[str, Sequence[str]] = project["tool"]["hatch"]["build"]["targets"]["wheel"][
        "hooks"
    ]["custom"]
    return found


def run(*command: str, folder: Path, **variables: str) -> str:
    """What a module says, run as a program; it must succeed."""
    ended = subprocess.run(
        (sys.executable, "-m", *command),
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("path", sources(ROOT, patterns()), ids=lambda path: path.stem)
def test_no_record_is_compiled(path: Path) -> None:
    """mypyc drops the keywords of a class, so a frozen struct would not be frozen any more."""
    classes = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    ]
    with_keywords = [node.name for node in classes if node.keywords]
    structs = [node.name for node in classes if "Struct" in map(_last_name, node.bases)]
    assert (with_keywords, structs) == ([], [])


@pytest.mark.parametrize("path", sources(ROOT, patterns()), ids=lambda path: path.stem)
def test_no_generator_has_what_must_be_released(path: Path) -> None:
    """Nothing ends a compiled generator that is left before its end, where the interpreter closes
    it; those for `with` are always taken to their end."""
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and "contextmanager" not in map(_last_name, node.decorator_list)
    ]
    holding = [
        node.name
        for node in functions
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node))
        and any(
            isinstance(each, ast.With) or (isinstance(each, ast.Try) and each.finalbody)
            for each in ast.walk(node)
        )
    ]
    assert holding == []


def _last_name(base: ast.expr) -> str:
    return ast.unparse(base).rpartition(".")[2]


def test_patterns_match() -> None:
    """A pattern that matches nothing is the name of a file that is gone."""
    for pattern in [*patterns()["compiled"], *patterns()["interpreted"]]:
        assert [*ROOT.glob(pattern)], pattern


def test_freed_objects_of_another_form() -> None:
    """A mypyc that frees its objects otherwise ends the build, which would leave them unmended."""
    freed = "if (a_free_instance == NULL) {\n{}a_free_instance = self;\n{}return;\n}\n"
    clearing = "Py_CLEAR(self->_b);\n"
    mended = offered_last(freed.replace("{}", "", 1).replace("{}", clearing))
    assert mended.index("Py_CLEAR") < mended.index("= self;") < mended.index("return;")
    with pytest.raises(RuntimeError, match="another way"):
        offered_last(freed.replace("{}", clearing, 1).replace("{}", ""))


@pytest.mark.heavy
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
@pytest.mark.timeout(1000)
def test_same_behaviour(tmp_path: Path) -> None:
    """The wheel's modules are machine code, and pass the tests of their sources."""
    wheel = ("pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
    # What the C compiler optimizes is the C compiler's to test, and takes it as long again.
    build = {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "1", "MYPYC_OPT_LEVEL": "0"}
    run(*wheel, str(tmp_path), str(ROOT), folder=ROOT, **build)
    tree = tmp_path / "tree"
    with ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        archive.extractall(tree)
    extensions = {path.name.partition(".")[0] for path in tree.glob("gateway/**/*.so")}
    assert extensions == {path.stem for path in sources(ROOT, patterns())}
    shutil.copytree(ROOT / "tests", tree / "tests", ignore=shutil.ignore_patterns("typescript"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    files = [f"tests/test_{name}.py" for name in BEHAVIOUR]
    # What does not tell the builds apart: who computes the shares, and by which Redis one counts.
    left = (
        *("--deselect", "tests/test_ring.py::test_equal_weights_are_balanced"),
        *("-k", "not (fakeredis or sentinel)"),
    )
    said = run("pytest", "-q", "-x", *left, *files, folder=tree, PYTHONPATH=str(tree))
    assert " passed" in said
