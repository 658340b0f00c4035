"""What is installed is complete: the command, the version, the types and all that runs by it."""

import shlex
import shutil
import sys
from importlib.metadata import distribution, entry_points
from importlib.resources import files
from pathlib import Path

import pytest

from gateway import __version__
from gateway.cli import main
from tests.parts.commands import hearth, shell

UNIT = Path(__file__).parent.parent / "deploy" / "hearth.service"

ELSEWHERE = """
import os
del os.SCHED_IDLE, os.sched_setscheduler
from gateway.cli import main
main(["--version"])
"""


def test_the_command_is_installed() -> None:
    """`hearth` is this package's `main`."""
    [command] = entry_points(group="console_scripts", name="hearth")
    assert command.load() is main


def test_the_version_has_one_source() -> None:
    """The distribution's version is the package's."""
    assert distribution("hearth-gateway").version == __version__


async def test_the_package_runs() -> None:
    """`python -m gateway` is `hearth`."""
    ended = await hearth("--version")
    assert ended.out == f"hearth {__version__}\n"


async def test_the_package_loads_elsewhere() -> None:
    """With all commands, where Python lacks what it has on Linux alone: so it does on a Mac."""
    ended = await shell(f"{sys.executable} -c {shlex.quote(ELSEWHERE)}")
    assert (ended.out, ended.err) == (f"hearth {__version__}\n", "")


def test_types_are_shipped() -> None:
    """`Typing :: Typed` is promised, so there is the marker of PEP 561."""
    classifiers = distribution("hearth-gateway").metadata.get_all("Classifier") or []
    assert "Typing :: Typed" in classifiers
    assert files("gateway").joinpath("py.typed").is_file()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
async def test_the_unit_is_understood(tmp_path: Path) -> None:
    """systemd complains of nothing in it, where Hearth is installed."""
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text().replace("/opt/hearth/bin/hearth", sys.executable))
    ended = await shell(f"systemd-analyze verify {here}")
    assert (ended.code, ended.err) == (0, "")
