"""`hearth route` without a gateway: where a user goes, as one would decide it, and why."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.calendar import whole_days
from gateway.cli import main
from gateway.configfile import load
from gateway.routing.router import Router
from tests.parts.commands import write_config
from tests.parts.generations import generation
from tests.parts.pools import all_choices
from tests.parts.seeded import seed

PROVIDERS = """\
server: {port: 0}
providers:
  - {name: birch, base_url: "http://127.0.0.1:9/v1"}
  - {name: maple, base_url: "http://127.0.0.1:9/v1", models: [small]}
  - {name: oak, base_url: "http://127.0.0.1:9/v1", weight: 2}
  - {name: willow, base_url: "http://127.0.0.1:9/v1", weight: 0}
"""
KEYS = """\
keys:
  - {name: shop, key: secret-1}
  - {name: bakery, key: secret-2}
  - {name: ops, key: secret-3, role: management}
"""


def choices(out: str) -> list[str]:
    """The providers with a number, in its order."""
    rows = [line.split() for line in out.splitlines()]
    return [row[1] for row in rows if row[0].isdigit()]


@pytest.mark.parametrize("user", ["user_anna", "日本", "[red]", "[/x] :smile:"])
def test_the_order_is_the_rings(
    user: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """First to last choice is the gateway's own, and the user is shown as given."""
    file = write_config(tmp_path, PROVIDERS)
    assert main(["route", user, "-c", str(file)]) == 0
    out = capsys.readouterr().out
    order = all_choices(Router(load(file, {})).pool(None), f"default\0{user}".encode())
    assert choices(out) == [choice.provider.name for choice in order]
    assert out.splitlines()[-1] == f"{user} (default) goes to {choices(out)[0]}"


def test_a_narrow_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a provider, and none is longer than 80 columns."""
    main(["route", "user_anna", "-c", str(write_config(tmp_path, PROVIDERS))])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 4 + 1
    assert max(map(len, lines)) <= 80


def test_without_its_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A provider that is away leaves the order of the others as it is."""
    file = write_config(tmp_path, PROVIDERS)
    main(["route", "user_anna", "-c", str(file)])
    home, *others = choices(capsys.readouterr().out)
    assert main(["route", "user_anna", "-c", str(file), "--without", home]) == 0
    out = capsys.readouterr().out
    assert choices(out) == others
    assert "left out by --without" in out


def test_what_a_change_moves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The share of all users that would move, and from where to where, adds up."""
    file = str(write_config(tmp_path, PROVIDERS))
    main(["route", "user_anna", "-c", file, "--without", "oak"])
    *_, total, birch, maple, home = capsys.readouterr().out.splitlines()
    assert total.endswith("% of all users would move; of the tokens since yesterday: unknown")
    assert [line.split()[1:] for line in (birch, maple)] == [
        ["from", "oak", "to", "birch"],
        ["from", "oak", "to", "maple"],
    ]
    parts = [float(line.split("%")[0]) for line in (total, birch, maple)]
    assert parts[0] == pytest.approx(50, abs=2)
    assert parts[0] == pytest.approx(sum(parts[1:]), abs=0.2)
    assert home == "user_anna would live at maple"
    main(["route", "user_anna", "-c", file, "--joining", "pine"])
    joined = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split()[-1] for line in joined] == ["pine"] * 3


async def test_what_a_change_moves_of_the_tokens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ledger tells what each user used of late; without one that is said to be unknown."""
    file = write_config(tmp_path, PROVIDERS)
    pool = Router(load(file, {})).pool(None)
    today = whole_days(time.time())
    await seed(
        tmp_path,
        [
            generation(number, day=today - number % 3, tenant="default", user=f"user_{number}")
            for number in range(60)
        ],
    )
    arguments = ["route", "user_anna", "-c", str(file), "--without", "oak"]
    assert await asyncio.to_thread(main, arguments) == 0
    lately = [f"default\0user_{number}".encode() for number in range(60) if number % 3 < 2]
    moved = sum(pool.ring.home(key) == "oak" for key in lately) / len(lately)
    expected = f"of the tokens since yesterday: {moved:.1%}"
    assert expected in capsys.readouterr().out
    (tmp_path / "hearth.db").write_bytes(b"no database" * 100)
    assert await asyncio.to_thread(main, arguments) == 0
    assert "of the tokens since yesterday: unknown" in capsys.readouterr().out


def test_it_says_that_nobody_was_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless that is what was wanted, standard error says so, and why."""
    file = str(write_config(tmp_path, PROVIDERS))
    assert main(["route", "user_anna", "-c", file]) == 0
    assert capsys.readouterr().err == (
        "hearth route: from the configuration alone, as `server.port` is 0, which may be any port\n"
    )
    assert main(["route", "user_anna", "-c", file, "--offline"]) == 0
    assert capsys.readouterr().err == ""


def test_a_name_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A provider cannot join that is there already."""
    file = str(write_config(tmp_path, PROVIDERS))
    assert main(["route", "user_anna", "-c", file, "--joining", "oak"]) == 2
    assert capsys.readouterr().err == "hearth route: a provider is called oak already\n"


def test_nobody_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every provider away, the answer is exit code 1."""
    away = [f"--without={name}" for name in ("birch", "maple", "oak")]
    assert main(["route", "user_anna", "-c", str(write_config(tmp_path, PROVIDERS)), *away]) == 1
    assert "No provider is left for user_anna (default)" in capsys.readouterr().out


def test_why_a_provider_is_no_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are drained or do not serve the model are listed with the reason."""
    file = write_config(tmp_path, PROVIDERS)
    assert main(["route", "user_anna", "-c", str(file), "--model", "large"]) == 0
    out = capsys.readouterr().out
    assert set(choices(out)) == {"birch", "oak"}
    rows = {line.split()[1]: line for line in out.splitlines()}
    assert rows["maple"].rstrip().endswith("does not serve large")
    assert rows["willow"].rstrip().endswith("drained: its weight is 0")


def test_users_belong_to_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With several client keys, the key has to be named, and be one that makes calls."""
    file = str(write_config(tmp_path, KEYS + PROVIDERS))
    assert main(["route", "user_anna", "-c", file]) == 2
    assert main(["route", "user_anna", "-c", file, "--key", "ops"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "hearth route: say which key with --key: shop, bakery",
        "hearth route: no client key is called ops: shop, bakery",
    ]
    assert main(["route", "user_anna", "-c", file, "--key", "bakery"]) == 0
    assert "user_anna (bakery) goes to" in capsys.readouterr().out


def test_an_unknown_provider(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is not in the configuration is refused with those that are."""
    file = str(write_config(tmp_path, PROVIDERS))
    assert main(["route", "user_anna", "-c", file, "--without", "pine"]) == 2
    expected = "hearth route: no provider is called pine: birch, maple, oak, willow\n"
    assert capsys.readouterr().err == expected


def test_users_without_a_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where users are not what calls stick by, it says so."""
    file = str(write_config(tmp_path, "server: {port: 0}\nsticky: {key: []}\n"))
    assert main(["route", "user_anna", "-c", file]) == 0
    assert capsys.readouterr().out == "Users have no home: `sticky.key` does not name `user`\n"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("  ", "Expected a user id that is not empty"),
        ("a\nb", "must not contain control characters"),
        ("x" * 513, "must have 1 to 512 characters"),
        ("\udcff", "Expected text in UTF-8"),
    ],
)
def test_no_such_user_id(user: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a request could not name as its user is refused here as well."""
    with pytest.raises(SystemExit) as ended:
        main(["route", user])
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err
