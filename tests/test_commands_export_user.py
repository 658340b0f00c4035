"""`hearth export-user` hands out everything that is kept of one end user."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.ports import free_port
from gateway.cli import main
from gateway.generation import Generation
from gateway.ledger.journal import Journal
from gateway.ledger.named import NamedGeneration, unnamed
from tests.parts.commands import write_config
from tests.parts.generations import generation

SETTLED = [
    generation(1, user="anna"),
    generation(2, user="anna", model="large", route="home"),
    generation(3, user="boris"),
    generation(1, day=19_999, user="anna"),
    generation(4, user="anna", tenant="shop"),
]


def journal(folder: Path) -> None:
    """Calls of two users and two tenants, not shipped."""
    writer = Journal(folder / "journal")
    for each in SETTLED:
        writer.append(each)


def entries(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Kind and record of each line."""
    found = [msgspec.json.decode(line) for line in text.splitlines()]
    return [(each["kind"], each["record"]) for each in found]


def generations(text: str) -> list[Generation]:
    """The calls, as they were recorded."""
    found = [each for kind, each in entries(text) if kind == "generation"]
    return [unnamed(msgspec.convert(each, NamedGeneration)) for each in found]


def test_everything_is_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every call in full, every daily row, and the sums of each key; of nobody else anything."""
    config = str(write_config(tmp_path))
    journal(tmp_path)
    assert main(["export-user", "anna", "-c", config]) == 0
    text = capfd.readouterr().out
    assert generations(text) == [SETTLED[4], SETTLED[1], SETTLED[0], SETTLED[3]]
    days = [each for kind, each in entries(text) if kind == "day"]
    assert sorted((day["day"], day["tenant"], day["counts"]["requests"]) for day in days) == [
        (19_999, "app", 1),
        (20_000, "app", 1),
        (20_000, "app", 1),
        (20_000, "shop", 1),
    ]
    users = [each for kind, each in entries(text) if kind == "user"]
    assert sorted((user["tenant"], user["counts"]["requests"]) for user in users) == [
        ("app", 3),
        ("shop", 1),
    ]
    assert "boris" not in text


def test_of_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An empty file is explained: a mistyped id looks like a user who was never here."""
    config = str(write_config(tmp_path))
    journal(tmp_path)
    assert main(["export-user", "ana", "-c", config]) == 0
    assert capfd.readouterr() == ("", "hearth: nothing is kept of ana\n")


def test_of_one_key_into_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--key leaves out another tenant's user of that name; -o keeps standard output clean."""
    config = str(write_config(tmp_path))
    journal(tmp_path)
    out = tmp_path / "anna.jsonl"
    assert main(["export-user", "anna", "--key", "shop", "-o", str(out), "-c", config]) == 0
    assert generations(out.read_text()) == [SETTLED[4]]
    assert capfd.readouterr().out == ""


async def test_store_that_is_away(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What the journal has is handed out, and that it is not all said, with exit code 1."""
    config = write_config(tmp_path)
    address = f"127.0.0.1:{free_port()}"
    text = config.read_text().replace(f"sqlite:{tmp_path}/hearth.db", f"redis://{address}")
    config.write_text(text)
    journal(tmp_path)
    assert await asyncio.to_thread(main, ["export-user", "anna", "-c", str(config)]) == 1
    printed = capfd.readouterr()
    assert len(generations(printed.out)) == 4
    assert "NOT COMPLETE" in printed.err
    assert await asyncio.to_thread(main, ["export-user", "ana", "-c", str(config)]) == 1
    assert "nothing is kept" not in capfd.readouterr().err
    assert address in printed.err
