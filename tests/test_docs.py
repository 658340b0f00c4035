"""The documents tell the truth: what they name is there, and what they show works when pasted."""

import re
from pathlib import Path

import pytest
import yaml

from gateway.cli import main
from gateway.configfile import load
from tests.parts.client_world import APP_KEY, OPS_KEY, client_world
from tests.parts.commands import shell
from tests.test_layers import RANKS

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
FILE = re.compile(r"`((?:gateway|tests|bench|docs|deploy)/[\w./-]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PROVIDERS = "providers: [{name: openai-a, base_url: 'https://api.openai.com/v1'}]\n"


def blocks(language: str) -> list[str]:
    """The blocks of code in one language, of all documents."""
    found = (block for document in DOCUMENTS for block in BLOCK.findall(document.read_text()))
    return [text for name, text in found if name == language]


def anchors(document: Path) -> set[str]:
    """What its headings can be linked by."""
    headings = HEADING.findall(document.read_text())
    return {re.sub(r"[^\w -]", "", each).strip().lower().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_somewhere(document: Path) -> None:
    """To a file that is there, and to a heading in it."""
    for name, anchor in LINK.findall(document.read_text()):
        target = document.parent / name if name else document
        assert target.exists(), name
        assert not anchor or anchor in anchors(target), anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_named_files_are_there(document: Path) -> None:
    """A file or folder that is named by its path exists."""
    assert [name for name in FILE.findall(document.read_text()) if not (ROOT / name).exists()] == []


def test_the_architecture_has_every_layer() -> None:
    """The table of layers names what there is, in the order of imports."""
    text = (ROOT / "docs/architecture.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+/?` ?)+)\|", text, re.MULTILINE)
    named = [name.strip("`/") for row in rows for name in row.split()]
    assert sorted(named) == sorted(name for name in RANKS if not name.startswith("__"))
    ranks = [RANKS[name] for name in named]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("text", blocks("yaml"))
def test_configurations_are_good(text: str, tmp_path: Path) -> None:
    """A piece of configuration is read without a complaint."""
    file = tmp_path / "config.yaml"
    file.write_text(text if "providers" in yaml.safe_load(text) else PROVIDERS + text)
    names = re.findall(r"\$\{(\w+)", text)
    config = load(file, {name: f"sk-{name}" for name in names})
    assert config.providers


def test_the_route_that_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hearth route` says of the README's configuration what the README says that it does."""
    (text,) = (each for each in blocks("yaml") if "providers:" in each)
    (shown,) = (each for each in blocks("") if each.startswith("$ hearth route"))
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(text)
    for name in re.findall(r"\$\{(\w+)", text):
        monkeypatch.setenv(name, f"sk-{name}")
    command, _, answer = shown.partition("\n")
    assert main([*command.split()[2:], "--offline"]) == 0
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in answer.splitlines() if line not in said] == []


@pytest.mark.parametrize("command", [each for each in blocks("sh") if each.startswith("curl")])
async def test_questions_are_answered(command: str, tmp_path: Path) -> None:
    """A curl command with the reader's own keys is answered with data."""
    keys = {"KEY": APP_KEY, "MANAGEMENT_KEY": OPS_KEY}
    async with client_world(tmp_path, "fast") as world:
        here = command.replace("curl localhost:8080", f"curl -sS --fail {world.gateway.origin}")
        ended = await shell(here, **keys)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith('{"data":')


def test_targets_of_make() -> None:
    """What is to be made can be."""
    made = (ROOT / "Makefile").read_text()
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert {each for each in named if f"\n{each}:" not in made} == set()


def test_commands_that_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Every `hearth` command that is spoken of exists."""
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    named = set(re.findall(r"(?:^|[`$] ?)hearth ([a-z-]+)", text, re.MULTILINE))
    assert {"serve", "route", "export"} <= named
    for name in named:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0, name
    assert "usage: hearth" in capsys.readouterr().out
