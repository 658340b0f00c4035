"""LiteLLM's proxy: one uvicorn worker, a master key, three deployments of one model."""

import json
from pathlib import Path

from bench import traffic
from bench.installing import pypi, pypi_version
from bench.program import Launch, Program, Site


def _command() -> Path:
    return pypi("litellm", "litellm[proxy]==1.106.2", "litellm")


def _launch(site: Site) -> Launch:
    models = [
        {
            "model_name": traffic.MODEL,
            "litellm_params": {
                "model": f"openai/{traffic.MODEL}",
                "api_base": url,
                "api_key": f"sk-provider-{number}",
            },
        }
        for number, url in enumerate(site.base_urls("/v1"))
    ]
    settings = {"master_key": traffic.KEY, "enforce_user_param": True}
    config = {"model_list": models, "general_settings": settings}
    path = site.file("litellm.yaml", json.dumps(config))  # JSON is YAML
    options = ("--host", "127.0.0.1", "--port", str(site.port), "--num_workers", "1")
    quiet = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "CRITICAL",
        "LITELLM_MODE": "PRODUCTION",
    }
    return Launch((str(_command()), "--config", str(path), *options), quiet)


LITELLM = Program(
    name="LiteLLM",
    origin="PyPI litellm[proxy]",
    does="1 uvicorn worker, master key, enforce_user_param, random balancing; no database",
    install=lambda: pypi_version(_command(), "litellm"),
    launch=_launch,
)
