"""`hearth check` says whether a configuration is good."""

from pathlib import Path

import pytest

from gateway.cli import main
from tests.parts.commands import write_config


def test_a_good_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and what is in it."""
    file = write_config(tmp_path)
    assert main(["check", "-c", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: good (1 provider, 0 keys)\n"


def test_all_problems_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and a line each: file, line, key and what is expected."""
    file = write_config(tmp_path, "server: {port: high}\nsticky: {pints: 3}\n")
    assert main(["check", "-c", str(file)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{file}:1: server.port: Expected ")
    assert second == f"{file}:2: sticky.pints: Expected a known key, perhaps `points`"
