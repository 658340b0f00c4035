"""`hearth ledger` tells how far behind the store is, and whether its sums are right."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.ledger.journal import Journal
from tests.parts.commands import write_config
from tests.parts.generations import generation, refusal


def journal(folder: Path) -> None:
    """Four settled generations on two days, none of them shipped."""
    writer = Journal(folder / "journal")
    for each in (
        generation(1),
        generation(2, user="user_2"),
        refusal(3),
        generation(1, day=19_999),
    ):
        writer.append(each)
    writer.close()


def test_status_of_an_empty_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was recorded, nothing waits."""
    (tmp_path / "journal").mkdir()
    assert main(["ledger", "status", "-c", str(write_config(tmp_path))]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"waiting in {tmp_path}/journal: 0 bytes"
    assert second == "oldest record waiting: 0.0 s"


@pytest.mark.parametrize("command", ["ledger status", "ledger verify", "export-user anna"])
def test_ledger_of_another_folder(
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where relative paths lead to nothing, nobody is left to think that all calls are gone, and
    nothing is made that the next command, or a gateway of another account, would stumble over."""
    config = write_config(tmp_path)
    config.write_text(config.read_text().replace(f"{tmp_path}/", ""))
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "-c", "config.yaml"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("hearth: neither hearth.db nor journal exists: nothing was recorded")
    assert line.endswith(f" start from {tmp_path}")
    assert list(tmp_path.iterdir()) == [config]


def test_status_counts_what_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows the bytes in the journal and leaves them there."""
    config = write_config(tmp_path)
    journal(tmp_path)
    [segment] = (tmp_path / "journal").glob("*.jsonl")
    for _ in range(2):
        assert main(["ledger", "status", "-c", str(config)]) == 0
        waiting, oldest = capsys.readouterr().out.splitlines()
        assert waiting.endswith(f": {segment.stat().st_size} bytes")
        assert float(oldest.split()[-2]) > 86400


def test_verify_counts_what_waits_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ships the journal first; then all ways to count agree."""
    config = write_config(tmp_path)
    journal(tmp_path)
    assert main(["ledger", "verify", "-c", str(config)]) == 0
    assert capsys.readouterr().out == "4 requests on 2 days: sums agree\n"


@pytest.mark.parametrize("counter", ["requests", "moves"])
def test_verify_finds_drift(
    counter: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any counter that was tampered with is exit code 1, and shown with its day and all sums."""
    config = write_config(tmp_path)
    journal(tmp_path)
    main(["ledger", "verify", "-c", str(config)])
    capsys.readouterr()
    with closing(sqlite3.connect(tmp_path / "hearth.db")) as db, db:
        (right,) = db.execute(f"SELECT sum({counter}) FROM totals WHERE day = 20000").fetchone()
        db.execute(f"UPDATE activity SET {counter} = {counter} + 1 WHERE user = 'user_2'")
    assert main(["ledger", "verify", "-c", str(config)]) == 1
    drift, verdict = capsys.readouterr().out.splitlines()
    sums = f"users {right + 1}, providers {right}, generations {right}"
    assert drift == f"2024-10-04 {counter}: {sums}"
    assert verdict.endswith("sums differ")


def test_a_store_of_a_later_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not touched; the line says which version is known."""
    config = write_config(tmp_path)
    with closing(sqlite3.connect(tmp_path / "hearth.db")) as db:
        db.execute("PRAGMA user_version = 99")
    assert main(["ledger", "verify", "-c", str(config)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"hearth: {tmp_path}/hearth.db: made by a later Hearth: version 99")
