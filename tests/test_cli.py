"""The command as a whole: exit codes, one line an error, and no traceback whatever happens."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from gateway import __version__
from gateway.cli import main
from tests.parts.commands import hearth, is_empty, running_hearth, shell, write_config


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the program and the version, and is a success."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"hearth {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "bogus",
        "ledger",
        "serve --port abc",
        "serve --port 70000",
        "demo --port -1",
        "mock-provider --port 70000",
        "mock-provider --port 0 --latency 3",
        "mock-provider --port 0 --fail sometimes",
        "export users",
        "export users --format xml",
        "export users --format csv --since yesterday",
        "route",
    ],
)
def test_wrong_arguments(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What no command understands is exit code 2 and a line that says why."""
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    assert ": error: " in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("command", ["serve", "check", "route anna", "ledger status"])
def test_a_missing_configuration(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command says which file it cannot read."""
    missing = tmp_path / "none.yaml"
    assert main([*command.split(), "-c", str(missing)]) == 2
    err = capsys.readouterr().err
    assert err == f"{missing}: Expected a file that can be read: No such file or directory\n"


@pytest.mark.parametrize(
    "command", ["serve --port 0", "ledger verify", "export users --format csv"]
)
def test_a_store_that_cannot_be_opened(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is a failure, in one line that names the file."""
    (tmp_path / "hearth.db").mkdir()
    assert main([*command.split(), "-c", str(write_config(tmp_path))]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert str(tmp_path / "hearth.db") in line


async def test_standard_streams_that_are_closed(tmp_path: Path) -> None:
    """Scripts that start services close them (`<&-`). No socket gets their numbers, which libuv
    would not close: it would end the process."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        serve = f"serve -c {write_config(tmp_path)} --port {taken.getsockname()[1]}"
        ended = await shell(f"exec {sys.executable} -m gateway {serve} <&- >&-")
    assert ended.code == 1
    assert ended.err.endswith("address already in use\n")


@pytest.mark.parametrize("command", ["serve", "demo", "mock-provider"])
async def test_a_port_in_use(command: str, tmp_path: Path) -> None:
    """A server that cannot have its port says so in one line and leaves nothing behind."""
    own = ("-c", write_config(tmp_path)) if command == "serve" else ()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = await hearth(command, *own, "--port", str(port), TMPDIR=str(temporary))
    assert ended.code == 1
    [line] = ended.err.splitlines()
    assert line.startswith("hearth: ")
    assert str(port) in line
    assert "address already in use" in line
    assert is_empty(temporary)


@pytest.mark.parametrize("command", ["route anna --offline", "export users --format csv"])
async def test_nobody_reads_the_output(command: str, tmp_path: Path) -> None:
    """A closed pipe ends a command without a word, as `| head` expects."""
    reader, writer = os.pipe()
    os.close(reader)
    config = write_config(tmp_path)
    (tmp_path / "journal").mkdir()
    with os.fdopen(writer) as closed:
        async with running_hearth(
            *command.split(), "-c", config, stdout=closed.fileno()
        ) as writing:
            _, err = await writing.process.communicate()
    assert err == b""
    assert writing.process.returncode == 1


async def test_the_demo_ends_with_its_reader(tmp_path: Path) -> None:
    """`hearth demo | head -1` ends by itself and deletes its folder."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as closed:
        async with running_hearth(
            "demo", "--port", "0", stdout=closed.fileno(), TMPDIR=str(tmp_path)
        ) as demo:
            _, err = await demo.process.communicate()
    assert err == b""
    assert demo.process.returncode == 1
    assert is_empty(tmp_path)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_mock_provider_stops(stop: signal.Signals) -> None:
    """Ctrl-C and SIGTERM are how it is meant to end: a success, and silent."""
    async with running_hearth("mock-provider", "--port", "0", "--name", "oak") as provider:
        written = await provider.says("listens on")
        assert written.startswith("Mock provider oak listens on http://127.0.0.1:")
        assert await provider.end(stop) == 0
        _, err = await provider.process.communicate()
    assert err == b""
