"""Portkey's gateway, on Node: its open-source edition balances at random, by a header's config."""

import json
import shutil
from pathlib import Path

from bench.installing import npm
from bench.program import Absent, Launch, Program, Site

_VERSION = "1.15.2"


def _script() -> Path:
    return npm("portkey", f"@portkey-ai/gateway@{_VERSION}", "build/start-server.js")


def _install() -> str:
    if shutil.which("node") is None:
        raise Absent("node is not installed")
    manifest = json.loads((_script().parents[1] / "package.json").read_text())
    return str(manifest["version"])


def _launch(site: Site) -> Launch:
    command = ("node", str(_script()), "--headless", f"--port={site.port}")
    return Launch(command, {"NODE_ENV": "production"})


def _fields(site: Site) -> tuple[str, ...]:
    targets = [
        {"provider": "openai", "api_key": f"sk-provider-{number}", "custom_host": url}
        for number, url in enumerate(site.base_urls("/v1"))
    ]
    config = {"strategy": {"mode": "loadbalance"}, "targets": targets}
    return (f"x-portkey-config: {json.dumps(config)}",)


PORTKEY = Program(
    name="Portkey",
    origin="npm @portkey-ai/gateway",
    does="1 Node process, random balancing by an x-portkey-config header; no keys, no ledger",
    install=_install,
    launch=_launch,
    fields=_fields,
)
