"""Hearth with everything on."""

import sys

import gateway
from bench import traffic
from bench.program import Launch, Program, Site

_CONFIG = """\
server: {{port: {port}}}
keys:
  - {{name: bench, key: "{key}", enforce_user_ids: true}}
providers:
{providers}
ledger: {{url: "sqlite:{folder}/hearth.db", journal: "{folder}/journal/"}}
"""
_PROVIDER = """\
  - name: provider-{number}
    base_url: {url}
    api_key: "sk-provider-{number}"
    max_in_flight: 100000
    models: [{model}]
    prices: {{{model}: {{input: 0.15, output: 0.60, cached_input: 0.075}}}}"""


def _launch(site: Site) -> Launch:
    providers = [
        _PROVIDER.format(number=number, url=url, model=traffic.MODEL)
        for number, url in enumerate(site.base_urls("/v1"))
    ]
    text = _CONFIG.format(
        port=site.port, key=traffic.KEY, providers="\n".join(providers), folder=site.folder
    )
    config = site.file("hearth.yaml", text)
    return Launch((sys.executable, "-m", "gateway", "serve", "-c", str(config)))


HEARTH = Program(
    name="Hearth",
    origin="this repository",
    does="ring on body `user`; keys, user ids enforced, metering, prices, journal, SQLite ledger",
    install=lambda: gateway.__version__,
    launch=_launch,
)
