"""vLLM router, in Rust: one runtime thread, consistent hash on the body's `user`."""

from pathlib import Path

from bench.installing import pypi, pypi_version
from bench.program import Launch, Program, Site


def _command() -> Path:
    return pypi("vllm-router", "vllm-router==0.1.17", "vllm-router")


def _launch(site: Site) -> Launch:
    options = (
        *("--host", "127.0.0.1", "--port", str(site.port)),
        *("--policy", "consistent_hash", "--log-level", "error"),
        *("--max-concurrent-requests", "100000"),
        *("--prometheus-host", "127.0.0.1", "--prometheus-port", str(site.spare)),
        *("--worker-urls", *site.base_urls()),
    )
    return Launch((str(_command()), *options), {"TOKIO_WORKER_THREADS": "1"})


VLLM_ROUTER = Program(
    name="vLLM router",
    origin="PyPI vllm-router",
    does="TOKIO_WORKER_THREADS=1, --policy consistent_hash on body `user`, --log-level error",
    install=lambda: pypi_version(_command(), "vllm-router"),
    launch=_launch,
)
