"""The clients that the documents show: their lines work as they stand while the demo runs."""

import shutil
import sys
from pathlib import Path

import aiohttp
import pytest

from gateway.demo.worlds import STICKY, running_world
from tests.parts.commands import shell
from tests.parts.recorded import read_fresh
from tests.test_docs import blocks

TYPESCRIPT = Path(__file__).parent / "typescript"
DEMO = "http://127.0.0.1:8080"
USER = "user_anna"
RUN = {
    "sh": 'sh -c "$PROGRAM"',
    "python": '"$PYTHON" -c "$PROGRAM"',
    "ts": 'cd "$TYPESCRIPT" && node --input-type=module -e "$PROGRAM"',
}
PROGRAMS = [
    pytest.param(language, text, id=f"{language}-{text.count(USER)}")
    for language in RUN
    for text in blocks(language)
    if DEMO in text
]


def runnable(language: str) -> bool:
    """Whether what runs the language is on this machine."""
    if language == "ts":
        installed = (TYPESCRIPT / "node_modules" / "@anthropic-ai").is_dir()
        return installed and shutil.which("node") is not None
    return language != "sh" or shutil.which("curl") is not None


@pytest.mark.parametrize(("language", "program"), PROGRAMS)
async def test_lines_work_as_they_stand(
    language: str, program: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """Each call in them is answered, and on record as its user's."""
    if not runnable(language):
        pytest.skip(f"what runs {language} is not installed; `make test` installs the packages")
    async with running_world("demo", tmp_path, 0, STICKY) as world:
        here = program.replace(DEMO, world.origin).replace("@openrouter/sdk", "openrouter-sdk-1")
        ended = await shell(
            RUN[language],
            PROGRAM=here,
            PYTHON=sys.executable,
            TYPESCRIPT=str(TYPESCRIPT),
            APP_KEY="anything",
        )
        assert ended.code == 0, ended.err
        records = (await read_fresh(http, f"{world.origin}/api/v1/generations"))["data"]
    outcomes = [(each["external_user"], each["hearth"]["outcome"]) for each in records]
    assert outcomes == [(USER, "ok")] * program.count(USER)


def test_every_language_is_shown() -> None:
    """None of them got lost on its way out of the documents."""
    assert {each.values[0] for each in PROGRAMS} == set(RUN)
