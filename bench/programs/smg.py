"""SMG, in Rust: one runtime thread, consistent hash on its routing-key header."""

from pathlib import Path

from bench import traffic
from bench.installing import pypi, pypi_version
from bench.program import Launch, Program, Site


def _command() -> Path:
    return pypi("smg", "smg==1.13.0", "smg")


def _launch(site: Site) -> Launch:
    options = (
        *("--host", "127.0.0.1", "--port", str(site.port)),
        *("--policy", "consistent_hashing", "--log-level", "error"),
        *("--max-concurrent-requests", "100000"),
        *("--disable-health-check", "--disable-load-monitoring", "--disable-tokenizer-autoload"),
        *("--prometheus-host", "127.0.0.1", "--prometheus-port", str(site.spare)),
        *("--worker-urls", *site.base_urls()),
    )
    return Launch((str(_command()), "launch", *options), {"TOKIO_WORKER_THREADS": "1"})


SMG = Program(
    name="SMG",
    origin="PyPI smg",
    does="TOKIO_WORKER_THREADS=1, --policy consistent_hashing on a header, --log-level error",
    install=lambda: pypi_version(_command(), "smg"),
    launch=_launch,
    fields=lambda site: (f"X-SMG-Routing-Key: user_{traffic.USER}",),
)
