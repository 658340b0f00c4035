"""`hearth export` writes exactly what the ledger holds."""

import json
import os
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.calendar import day_text
from gateway.cli import main
from gateway.generation import Generation
from gateway.ledger.journal import Journal
from gateway.mock.running import running_provider
from gateway.mock.settings import MockSettings
from tests.parts.commands import hearth, write_config
from tests.parts.gateways import running_gateway
from tests.parts.generations import generation, refusal
from tests.parts.recorded import read_fresh
from tests.parts.visitor import csv_rows

TODAY = int(time.time()) // 86400


def ledger_of(folder: Path, *generations: Generation) -> str:
    """A configuration whose ledger holds these, in the journal only."""
    writer = Journal(folder / "journal")
    for each in generations:
        writer.append(each)
    writer.close()
    return str(write_config(folder))


@pytest.mark.parametrize("what", ["generations", "activity", "users"])
def test_an_empty_ledger(what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """CSV is the names of the columns, JSON lines are nothing; nothing is said beside it."""
    config = ledger_of(tmp_path)
    assert main(["export", what, "-c", config, "--format", "csv"]) == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1
    assert "user" in out
    assert err == ""
    assert main(["export", what, "-c", config, "--format", "jsonl"]) == 0
    assert capfd.readouterr() == ("", "")


def test_every_generation_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """More than a page, newest first, those that are still in the journal among them."""
    expected = [generation(number, day=TODAY - 1) for number in range(1, 1203)]
    config = ledger_of(tmp_path, *expected)
    assert main(["export", "generations", "-c", config, "--format", "csv"]) == 0
    rows = csv_rows(capfd.readouterr().out)
    assert [row["id"] for row in rows] == [each.id for each in reversed(expected)]
    assert sum(round(float(row["usage"]) * 1e9) for row in rows) == 1202 * 7


def test_both_formats_say_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Names and values survive either way, whatever is in a user id."""
    users = ['comma, "quote"', "日本", "x;y\\z", None]
    settled = [generation(n, day=TODAY - 1, user=user) for n, user in enumerate(users, 1)]
    config = ledger_of(tmp_path, *settled, refusal(9, day=TODAY - 1))
    main(["export", "generations", "-c", config, "--format", "csv"])
    from_csv = csv_rows(capfd.readouterr().out)
    main(["export", "generations", "-c", config, "--format", "jsonl"])
    from_json = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [row["external_user"] for row in from_json] == [None, *reversed(users)]
    for flat, row in zip(from_csv, from_json, strict=True):
        assert flat.keys() == row.keys()
        assert flat["external_user"] == (row["external_user"] or "")
        assert json.loads(flat["flags"]) == row["flags"]


@pytest.mark.parametrize("what", ["generations", "activity", "users"])
def test_filters(what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`--since` and `--until` are both inclusive, `--user` is exact."""
    settled = [
        generation(number, day=day, user=user)
        for day in range(TODAY - 4, TODAY)
        for number, user in enumerate(("user_1", "user_10"))
    ]
    config = ledger_of(tmp_path, *settled)
    span = ("--since", day_text(TODAY - 3), "--until", day_text(TODAY - 2))
    main(["export", what, "-c", config, "--format", "jsonl", *span, "--user", "user_1"])
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {row.get("user", row.get("external_user")) for row in rows} == {"user_1"}
    assert sum(row.get("requests", 1) for row in rows) == 2


@pytest.mark.parametrize(
    ("span", "end"),
    [
        (("--since", "2026-01-02", "--until", "2026-01-01"), "--until"),
        (("--since", "2199-01-01"), "today"),
    ],
)
def test_a_span_that_ends_before_it_begins(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], span: tuple[str, ...], end: str
) -> None:
    """It is a mistake, not an empty export; what is said is about options that were given."""
    assert main(["export", "users", "-c", ledger_of(tmp_path), "--format=csv", *span]) == 2
    assert capfd.readouterr() == ("", f"hearth export: {end} is before --since\n")


def test_into_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`-o` writes there what would go to standard output, byte by byte."""
    command = ["export", "users", "-c", ledger_of(tmp_path, generation(day=TODAY)), "--format=csv"]
    main(command)
    shown = capfd.readouterr().out
    assert main([*command, "-o", str(tmp_path / "users.csv")]) == 0
    assert (tmp_path / "users.csv").read_text() == shown.replace("\r\n", "\n")
    assert capfd.readouterr() == ("", "")


def test_into_a_missing_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line names the file that cannot be written."""
    file = tmp_path / "none" / "users.csv"
    command = ["export", "users", "-c", ledger_of(tmp_path), "--format=csv", "-o", str(file)]
    assert main(command) == 1
    assert capfd.readouterr() == ("", f"hearth: {file}: No such file or directory\n")


async def test_progress_is_for_people(tmp_path: Path) -> None:
    """A terminal on standard error sees the rows counted; the output is none the worse."""
    config = ledger_of(tmp_path, *(generation(number, day=TODAY) for number in range(1, 4)))
    command = ("export", "generations", "-c", config, "--format", "jsonl")
    shown, terminal = os.openpty()
    try:
        seen = await hearth(*command, stderr=terminal, TERM="xterm")
        progress = os.read(shown, 65536)
    finally:
        os.close(terminal)
        os.close(shown)
    assert b"3 rows" in progress
    assert seen.out == (await hearth(*command)).out
    assert len(seen.out.splitlines()) == 3


async def test_beside_a_running_gateway(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """Its sums are those of `/activity`, up to the last answer that was given."""
    async with (
        running_provider(MockSettings(name="oak")) as provider,
        running_gateway(tmp_path, [{"name": "oak", "base_url": provider.url}]) as gateway,
    ):
        for user in ("user_1", "user_2", "user_1"):
            call = {"model": "gpt-4o-mini", "user": user, "messages": [{"role": "user"}]}
            async with http.post(f"{gateway.url}/chat/completions", json=call) as answer:
                assert answer.status == 200
        config = str(tmp_path / "config.yaml")
        exported = await hearth("export", "activity", "-c", config, "--format", "csv")
        url = f"{gateway.api}/activity?include_today=true"
        activity = (await read_fresh(http, url))["data"]
    rows: list[dict[str, Any]] = csv_rows(exported.out)
    assert {row["user"] for row in rows} == {"user_1", "user_2"}
    for column in ("requests", "prompt_tokens", "completion_tokens", "cached_tokens"):
        assert sum(int(row[column]) for row in rows) == sum(row[column] for row in activity)
    spent = sum(round(row["usage"] * 1e9) for row in activity)
    assert sum(round(float(row["usage"]) * 1e9) for row in rows) == spent > 0
