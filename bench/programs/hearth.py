"""Hearth with everything on, with each of its stores."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import gateway.proxy.proxy
from bench import traffic
from bench.program import Launch, Program, Site
from bench.redis_server import server_binary
from gateway.config import Retention
from gateway.ledger.line import record_of
from gateway.ledger.opening import open_store
from gateway.ledger.segment import segments
from gateway.ledger.store import StoreUnavailable

_CONFIG = """\
server: {{port: {port}}}
keys:
  - {{name: bench, key: "{key}", enforce_user_ids: true}}
providers:
{providers}
ledger: {{url: "{ledger}", journal: "{folder}/journal/"}}
"""
_PROVIDER = """\
  - name: provider-{number}
    base_url: {url}
    api_key: "sk-provider-{number}"
    max_in_flight: 100000
    models: [{model}]
    prices: {{{model}: {{input: 0.15, output: 0.60, cached_input: 0.075}}}}"""

_TAIL = 16 * 1024
"""Bytes that have a whole record."""

_DOES = "ring on body `user`; keys, user ids enforced, metering, prices, journal, "


def _version() -> str:
    """With the kind of build: `make bench` compiles it, `python -m bench` takes what is here."""
    is_compiled = Path(gateway.proxy.proxy.__file__).suffix != ".py"
    return f"{gateway.__version__}, {'compiled' if is_compiled else 'interpreted'}"


def _launch(
    ledger: Callable[[Site], str], env: Mapping[str, str] | None = None
) -> Callable[[Site], Launch]:
    def launch(site: Site) -> Launch:
        providers = [
            _PROVIDER.format(number=number, url=url, model=traffic.MODEL)
            for number, url in enumerate(site.base_urls("/v1"))
        ]
        text = _CONFIG.format(
            port=site.port,
            key=traffic.KEY,
            providers="\n".join(providers),
            ledger=ledger(site),
            folder=site.folder,
        )
        config = site.file("hearth.yaml", text)
        return Launch(
            (sys.executable, "-P", "-m", "gateway", "serve", "-c", str(config)), env or {}
        )

    return launch


def _shipped(ledger: Callable[[Site], str]) -> Callable[[Site], bool]:
    """Whether the store has the last record of each journal."""

    async def positions(site: Site, writers: Mapping[str, int]) -> Mapping[str, int]:
        store = await open_store(ledger(site), Retention())
        try:
            return await store.positions(writers.keys())
        finally:
            await store.close()

    def is_done(site: Site) -> bool:
        last = _last_sequences(site.folder / "journal")
        try:
            return asyncio.run(positions(site, last)) == last
        except StoreUnavailable:
            return False

    return is_done


def _last_sequences(journal: Path) -> dict[str, int]:
    """Of each writer that has a record there."""
    last: dict[str, int] = {}
    for segment in segments(journal):
        with segment.path.open("rb") as file:
            file.seek(max(0, segment.path.stat().st_size - _TAIL))
            lines = file.read().splitlines()
        if lines and (record := record_of(lines[-1])):
            last[record.writer] = record.sequence
    return last


def _redis(site: Site) -> Launch:
    config = site.file(
        "redis.conf",
        f"bind 127.0.0.1\nport {site.spare}\ndir {site.folder}\nappendonly yes\n",
    )
    return Launch((server_binary(), str(config)))


_SOURCE = Path(__file__).parents[2]
_COUNTING_IN_REDIS = f"{_DOES}counting in a real Redis with its append-only file on"


def _to_redis(site: Site) -> str:
    return f"redis://127.0.0.1:{site.spare}"


def _to_sqlite(site: Site) -> str:
    return f"sqlite:{site.folder}/hearth.db"


HEARTH = Program(
    name="Hearth",
    origin="this repository",
    does=_COUNTING_IN_REDIS,
    install=_version,
    launch=_launch(_to_redis),
    beside=_redis,
    is_done=_shipped(_to_redis),
)
HEARTH_INTERPRETED = Program(
    name="Hearth interpreted",
    origin="this repository",
    does=_COUNTING_IN_REDIS,
    install=lambda: f"{gateway.__version__}, interpreted",
    launch=_launch(_to_redis, {"PYTHONPATH": str(_SOURCE)}),
    beside=_redis,
    is_done=_shipped(_to_redis),
)
HEARTH_SQLITE = Program(
    name="Hearth on SQLite",
    origin="this repository",
    does=f"{_DOES}counting in SQLite",
    install=_version,
    launch=_launch(_to_sqlite),
    is_done=_shipped(_to_sqlite),
)
