"""A gateway that shows a ledger: `hearth serve` on a core of its own, with three providers that
nobody calls."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from bench.ports import free_port
from bench.processes import cores, first_line, running

KEYS: Mapping[str, str] = {"management": "ops-key", "client": "shop-key"}
"""Role -> a key of it."""

_STARTING = 60.0


@contextmanager
def serving(folder: Path, ledger: str) -> Iterator[str]:
    """Its `http://host:port`, for as long as the context is open; TimeoutError if it cannot."""
    folder.mkdir(parents=True)
    port = free_port()
    tree = {
        "server": {"port": port},
        "keys": [
            {"name": "ops", "key": KEYS["management"], "role": "management"},
            {"name": "shop", "key": KEYS["client"]},
            {"name": "bot", "key": "bot-key"},
        ],
        "providers": [
            {"name": name, "base_url": "http://127.0.0.1:9"} for name in ("birch", "maple", "oak")
        ],
        "ledger": {
            "url": ledger,
            "journal": str(folder / "journal"),
            "retention": {"generations": "90d"},
        },
    }
    config, log = folder / "config.yaml", folder / "log"
    config.write_text(yaml.safe_dump(tree))
    command = (sys.executable, "-m", "gateway", "serve", "-c", str(config))
    with running(command, cores()[0], log):
        first_line(log, _STARTING)
        yield f"http://127.0.0.1:{port}"
