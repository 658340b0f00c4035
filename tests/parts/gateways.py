"""A gateway to test against: on a real socket, with real providers, its ledger in a folder."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from gateway.config import Config
from gateway.configfile import load
from gateway.server import running
from gateway.wire.limits import LIMITS, Limits
from tests.parts.homes import POINTS

Wire = Literal["fast", "aiohttp"]
"""The two edges."""


def build_config(folder: Path, providers: Sequence[Mapping[str, Any]], **sections: Any) -> Config:
    """A configuration as a file would give it, with its ledger in `folder`, on any free port."""
    server = {"port": 0, "drain": "2s", **sections.pop("server", {})}
    ledger = {"url": f"sqlite:{folder}/hearth.db", "journal": f"{folder}/journal"}
    sticky = {"points": POINTS, **sections.pop("sticky", {})}
    own = {"server": server, "ledger": ledger, "sticky": sticky, "providers": list(providers)}
    tree = {**own, **sections}
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(tree))
    return load(file, {})


class RunningGateway(msgspec.Struct, frozen=True):
    """`origin` is `http://host:port`; `url` is what an OpenAI SDK takes as base_url."""

    origin: str

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def api(self) -> str:
        """What an OpenRouter SDK takes as server_url."""
        return f"{self.origin}/api/v1"


@asynccontextmanager
async def running_gateway(
    folder: Path,
    providers: Sequence[Mapping[str, Any]],
    limits: Limits = LIMITS,
    **sections: Any,
) -> AsyncIterator[RunningGateway]:
    """A gateway for as long as the context is open."""
    async with running(build_config(folder, providers, **sections), limits) as origin:
        yield RunningGateway(origin)
