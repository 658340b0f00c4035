"""`hearth erase-user` forgets one end user, says what it takes, and asks before it does."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench.ports import free_port
from gateway.cli import main
from gateway.ledger.journal import Journal
from gateway.ledger.segment import segments
from tests.parts.commands import hearth, write_config
from tests.parts.generations import generation


def journal(folder: Path, *users: str, tenant: str = "app") -> None:
    """A call of each user, in a journal that nobody shipped, of a writer that goes on."""
    writer = Journal(folder / "journal")
    for number, user in enumerate(users):
        settled = generation(number, id=f"gen-{tenant}-{number}", user=user, tenant=tenant)
        writer.append(settled)


def journal_of(folder: Path) -> bytes:
    return b"".join(segment.path.read_bytes() for segment in segments(folder / "journal"))


def everything(folder: Path) -> str:
    """All that the store has, as text."""
    with closing(sqlite3.connect(folder / "hearth.db")) as db:
        return "\n".join(db.iterdump())


def test_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was shipped and what was not is gone; others' and the sums stay, and agree."""
    config = str(write_config(tmp_path))
    journal(tmp_path, "anna", "boris", "anna")
    main(["ledger", "verify", "-c", config])
    journal(tmp_path, "anna", tenant="shop")
    capsys.readouterr()
    assert main(["erase-user", "anna", "--yes", "-c", config]) == 0
    app, shop, erased = capsys.readouterr().out.splitlines()
    assert app == "anna of key app: 2 requests in the store, 2 records in the journal"
    assert shop == "anna of key shop: 0 requests in the store, 1 record in the journal"
    assert erased == f"Erased 3 generations in the store and 3 records in {tmp_path}/journal"
    assert b"anna" not in journal_of(tmp_path)
    assert main(["ledger", "verify", "-c", config]) == 0
    assert capsys.readouterr().out == "4 requests on 1 day: sums agree\n"
    assert "anna" not in everything(tmp_path)
    assert "boris" in everything(tmp_path)
    assert b"anna" not in (tmp_path / "hearth.db").read_bytes()
    assert main(["erase-user", "anna", "--yes", "-c", config]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "Nothing is kept of anna."


def test_of_one_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --key another tenant's user of the same name stays."""
    config = str(write_config(tmp_path))
    journal(tmp_path, "anna")
    journal(tmp_path, "anna", tenant="shop")
    assert main(["erase-user", "anna", "--key", "shop", "--yes", "-c", config]) == 0
    assert journal_of(tmp_path).count(b'"anna"') == 1
    main(["ledger", "verify", "-c", config])
    assert "anna" in everything(tmp_path)
    assert "of key app" not in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 1), ("", 1)])
async def test_it_asks(tmp_path: Path, answer: str, code: int) -> None:
    """Only yes is yes; anything else, and the end of the input, erases nothing."""
    config = write_config(tmp_path)
    journal(tmp_path, "anna")
    finished = await hearth("erase-user", "anna", "-c", config, stdin=answer)
    assert finished.code == code, finished.err
    assert "without the user. [y/N] " in finished.out
    assert (b"anna" in journal_of(tmp_path)) == bool(code)
    assert ("Nothing was erased." in finished.out) == bool(code)


async def test_store_that_is_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The journal is redacted, and it is said aloud that this is not all, with exit code 1."""
    config = write_config(tmp_path)
    address = f"127.0.0.1:{free_port()}"
    text = config.read_text().replace(f"sqlite:{tmp_path}/hearth.db", f"redis://{address}")
    config.write_text(text)
    journal(tmp_path, "anna")
    code = await asyncio.to_thread(main, ["erase-user", "anna", "--yes", "-c", str(config)])
    away, held, erased, incomplete, again = capsys.readouterr().out.splitlines()
    assert code == 1
    assert address in away
    assert held == "The journal has 1 record of anna."
    assert erased.startswith("Erased 0 generations in the store and 1 record in ")
    assert incomplete.startswith("NOT COMPLETE: ")
    assert again == "Repeat the same command when the store is back."
    assert b"anna" not in journal_of(tmp_path)


def test_nobody_by_that_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is kept there is nothing to ask."""
    (tmp_path / "journal").mkdir()
    assert main(["erase-user", "nobody", "-c", str(write_config(tmp_path))]) == 0
    assert capsys.readouterr().out == "Nothing is kept of nobody.\n"


def test_no_such_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What no request could carry is no user, either."""
    with pytest.raises(SystemExit) as ended:
        main(["erase-user", "", "-c", str(write_config(tmp_path))])
    assert ended.value.code == 2
    assert "Expected a user id" in capsys.readouterr().err
