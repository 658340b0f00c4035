"""`hearth route` asks the running gateway, and says so when there is none to ask."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.calendar import whole_days
from gateway.cli import main
from gateway.commands.route.live import NoAnswer, address_of
from gateway.config import Server, Tls
from tests.parts.calls import CHAT, COMPLETION, Requests, at, hang_up, whole
from tests.parts.certificates import CA
from tests.parts.gateways import RunningGateway, running_gateway
from tests.parts.generations import generation
from tests.parts.homes import POINTS, USER_OF_A, users_of
from tests.parts.raw_client import connected, post
from tests.parts.raw_provider import OK, Script, answers, serving
from tests.parts.seeded import seed

USER = USER_OF_A.decode()
PROVIDERS = [{"name": name, "base_url": "http://127.0.0.1:1/v1"} for name in ("a", "b")]
KEYS = [
    {"name": "shop", "key": "sk-shop"},
    {"name": "ops", "key": "sk-ops", "role": "management"},
]


def configure(folder: Path, **sections: Any) -> str:
    """The file that the command reads, in a place of its own."""
    file = folder / "asking.yaml"
    ledger = {"url": f"sqlite:{folder}/none.db", "journal": f"{folder}/none"}
    tree = {"providers": PROVIDERS, "ledger": ledger, "sticky": {"points": POINTS}, **sections}
    file.write_text(yaml.safe_dump(tree))
    return str(file)


async def route(*arguments: str) -> int:
    """The exit code, while this loop goes on serving."""
    return await asyncio.to_thread(main, ["route", USER, *arguments])


@asynccontextmanager
async def gateway_with_a_sick_provider(folder: Path) -> AsyncIterator[RunningGateway]:
    """One that `a` failed often enough to be left alone."""
    sick, well = Requests(whole(b"{}", b"500 No")), Requests(whole(COMPLETION))
    body = CHAT.replace(b"user_1", USER.encode())
    async with (
        serving(sick) as a,
        serving(well) as b,
        running_gateway(folder, [at(a, "a", ejection={"time": "1m"}), at(b, "b")]) as gateway,
        connected(gateway.origin) as client,
    ):
        for _ in range(5):
            assert (await client.ask(post(body))).status == 200
        yield gateway


async def test_it_is_live(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the user's home is out they go to the next, for the reason that the gateway has."""
    monkeypatch.setenv("COLUMNS", "200")
    async with gateway_with_a_sick_provider(tmp_path) as gateway:
        assert await route("-c", configure(tmp_path), "--gateway", gateway.origin) == 0
    out, err = capsys.readouterr()
    header, first, second, last = out.splitlines()
    assert header.split() == ["choice", "provider", "share", "calls", "why"]
    assert first.split()[:2] == ["1", "a"]
    assert "left alone after failures" in first
    assert "0 of 512" in second
    assert last == f"{USER} (default) goes to b, says {gateway.origin}"
    assert err == ""


async def test_the_configuration_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an address the one of the configuration is asked; `--offline` asks nobody."""
    async with gateway_with_a_sick_provider(tmp_path) as gateway:
        port = int(gateway.origin.rpartition(":")[2])
        file = configure(tmp_path, server={"port": port})
        assert await route("-c", file) == 0
        assert f"goes to b, says {gateway.origin}" in capsys.readouterr().out
        assert await route("-c", file, "--offline") == 0
        assert capsys.readouterr().out.endswith(f"{USER} (default) goes to a\n")


async def test_the_others_that_are_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As if `b` were away: then a call goes to `a` though that is out; with none left, to none."""
    async with gateway_with_a_sick_provider(tmp_path) as gateway:
        arguments = ("-c", configure(tmp_path), "--gateway", gateway.origin, "--without", "b")
        assert await route(*arguments) == 0
        out = capsys.readouterr().out
        assert f"{USER} (default) goes to a, says" in out
        assert "from b to a" in out
        assert await route(*arguments, "--without", "a") == 1
        assert f"No provider is left for {USER} (default)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environ", "keys", "tokens"),
    [
        ({}, KEYS, "40.0%"),
        ({}, KEYS[:1], "50.0%"),
        ({"HEARTH_KEY": "sk-shop"}, KEYS, "50.0%"),
        ({"HEARTH_KEY": "sk-shop\r\n"}, KEYS, "50.0%"),
    ],
    ids=["a management key sees all", "a client key its own", "a given one is used", "as a line"],
)
async def test_the_key_that_asks(
    environ: Mapping[str, str],
    keys: list[dict[str, str]],
    tokens: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tokens that would move are of the users that the key may see."""
    monkeypatch.delenv("HEARTH_KEY", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    today = whole_days(time.time())
    users = [
        (tenant, users_of(home, tenant=tenant.encode())[0].decode())
        for tenant, homes in (("shop", "ab"), ("gone", "abb"))
        for home in homes
    ]
    calls = [
        generation(number, day=today, tenant=tenant, user=user)
        for number, (tenant, user) in enumerate(users)
    ]
    await seed(tmp_path, calls)
    async with running_gateway(tmp_path, PROVIDERS, keys=KEYS) as gateway:
        file = configure(tmp_path, keys=keys)
        assert await route("-c", file, "--gateway", gateway.origin, "--without", "a") == 0
    assert f"of the tokens since yesterday: {tokens}" in capsys.readouterr().out


async def test_a_key_that_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration answers alone, and what the gateway said is told."""
    async with running_gateway(tmp_path, PROVIDERS, keys=KEYS) as gateway:
        file = configure(tmp_path, keys=[{"name": "shop", "key": "sk-old"}])
        assert await route("-c", file, "--gateway", gateway.origin) == 0
    out, err = capsys.readouterr()
    assert err == (
        "hearth route: from the configuration alone, as "
        "the gateway answers 401: The API key is not known\n"
    )
    assert f"{USER} (shop) goes to" in out
    assert "says" not in out


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (answers(OK), "what answers there is not this version of Hearth"),
        (Requests(whole(b'{"error":"no"}', b"404 No")), "what answers there is not this version"),
        (hang_up, "nobody answers at http://127.0.0.1:"),
    ],
    ids=["another page", "another error", "no answer"],
)
async def test_it_is_no_gateway(
    script: Script, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Something else on the port is told from a gateway."""
    async with serving(script) as other:
        assert await route("-c", configure(tmp_path, server={"port": other.port})) == 0
    out, err = capsys.readouterr()
    assert said in err
    assert out.endswith(f"{USER} (default) goes to a\n")


async def test_nobody_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gateway that does not run is no error."""
    assert await route("-c", configure(tmp_path, server={"port": 1})) == 0
    assert capsys.readouterr().err == (
        "hearth route: from the configuration alone, as nobody answers at http://127.0.0.1:1\n"
    )


async def test_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The configured certificate is enough, whatever its names and issuer; no other one is."""
    for name in ("ours", "another"):
        certificate = CA.issue_cert(f"{name}.example")
        certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / f"{name}.pem"))
    # OpenSSL reads what has this label too, Python does not.
    pem = (tmp_path / "ours.pem").read_text().replace(" CERTIFICATE", " X509 CERTIFICATE")
    (tmp_path / "old.pem").write_text(pem)
    tls = {"cert": "ours.pem", "key": "ours.pem"}
    async with running_gateway(tmp_path, PROVIDERS, server={"tls": tls}) as gateway:
        port = int(gateway.origin.rpartition(":")[2])
        for name, said in (("ours", ""), ("another", "shows another certificate"), ("old", "read")):
            tls = {"cert": f"{name}.pem", "key": f"{name}.pem"}
            assert await route("-c", configure(tmp_path, server={"port": port, "tls": tls})) == 0
            out, err = capsys.readouterr()
            assert said in err
            assert (f"says {gateway.origin}" in out) == (name == "ours")
        assert await route("-c", configure(tmp_path), "--gateway", gateway.origin) == 0
        assert "cannot be trusted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("server", "address"),
    [
        (Server(), "http://127.0.0.1:8080"),
        (Server(host="0.0.0.0"), "http://127.0.0.1:8080"),
        (Server(host="::", port=1), "http://[::1]:1"),
        (Server(host="::1"), "http://[::1]:8080"),
        (Server(host="hearth.example"), "http://hearth.example:8080"),
        (Server(tls=Tls(cert="c", key="k")), "https://127.0.0.1:8080"),
    ],
)
def test_where_a_gateway_is(server: Server, address: str) -> None:
    """Where it listens, on this machine where it listens everywhere."""
    assert address_of(server) == address


def test_a_port_that_is_any() -> None:
    """Where the system chooses the port, only who started it knows."""
    with pytest.raises(NoAnswer, match=r"server\.port"):
        address_of(Server(port=0))


@pytest.mark.parametrize("address", ["localhost:8080", "ftp://x", "http://", "http://x/v1"])
def test_no_address(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no gateway's address is refused at once."""
    with pytest.raises(SystemExit) as ended:
        main(["route", USER, "--gateway", address])
    assert ended.value.code == 2
    assert "Expected the gateway's http:// or https:// address" in capsys.readouterr().err
