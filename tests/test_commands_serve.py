"""`hearth serve` listens where it is told, or says why it does not."""

import resource
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from gateway.cli import main
from tests.parts.commands import hearth, running_hearth, write_config
from tests.parts.metrics import scraped
from tests.parts.rlimits import few_files


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_a_signal(
    stop: signal.Signals, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """The address it prints answers; either signal ends it as a success, in silence."""
    async with running_hearth("serve", "-c", write_config(tmp_path), "--port", "0") as gateway:
        written = await gateway.says("listens on")
        assert written.startswith("Hearth listens on http://127.0.0.1:")
        async with http.get(f"{written.split()[-1]}/readyz") as answer:
            assert await answer.json() == {"status": "ready"}
        assert await gateway.end(stop) == 0
        _, err = await gateway.process.communicate()
    assert err == b""


async def test_as_many_files_as_it_may(tmp_path: Path) -> None:
    """Its processes do not stop at the number of open files that a shell begins with."""
    config = write_config(tmp_path, "metrics: {public: true}\n")
    with few_files():
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        async with running_hearth("serve", "-c", config, "--port", "0") as gateway:
            origin = (await gateway.says("listens on")).split()[-1]
            found = await scraped(origin)
    limits = {value for (name, _), value in found.items() if name == "hearth_process_max_fds"}
    assert limits == {most}


async def test_options_beat_the_file(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """`--host` and `--port` take the place of the configuration's."""
    config = write_config(tmp_path, "server: {host: 127.0.0.1, port: 1}\n")
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    options = ("--host", "127.0.0.2", "--port", str(port))
    async with running_hearth("serve", "-c", config, *options) as gateway:
        written = await gateway.says("listens on")
        assert written == f"Hearth listens on http://127.0.0.2:{port}\n"


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("", ["--workers", "0"], "--workers 0: Expected a number from 1 to 512"),
        ("", ["--workers", "9999999"], "--workers 9999999: Expected a number from 1 to 512"),
        ("", ["--host", "0.0.0.0"], "--host 0.0.0.0 needs `keys`"),
        ("", ["--host", "::"], "--host :: needs `keys`"),
        ("keys: [{name: a, key: secret}]\n", ["--host", "no.invalid"], "no.invalid: "),
        ("keys: [{name: a, key: secret}]\n", ["--host", "a..b"], "a..b: "),
    ],
)
def test_what_it_will_not_run(
    text: str,
    options: list[str],
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A configuration that this version or this machine cannot honour is exit code 2."""
    config = write_config(tmp_path, text)
    assert main(["serve", "-c", str(config), *options]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"hearth serve: {expected}")


async def test_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    """Without a journal nothing would be safe: it does not start, and names the folder."""
    config = write_config(tmp_path)
    (tmp_path / "journal").touch()
    ended = await hearth("serve", "-c", config, "--port", "0")
    assert ended.code == 1
    [line] = ended.err.splitlines()
    assert line.startswith(f"hearth: journal {tmp_path}/journal: ")
