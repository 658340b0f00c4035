"""A program under test: where it comes from, and how it is run with one process or thread."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec


class Absent(Exception):
    """The program cannot be had or does not start here; the text says why."""


class Site(msgspec.Struct, frozen=True):
    """Where a program runs: a folder of its own, the port to serve on, and the providers' ports.

    `spare` is a port for what else it insists on serving, such as metrics.
    """

    folder: Path
    port: int
    spare: int
    upstreams: tuple[int, ...]

    def file(self, name: str, text: str) -> Path:
        """A file with `text` in the folder."""
        path = self.folder / name
        path.write_text(text)
        return path

    def base_urls(self, path: str = "") -> list[str]:
        """The address of each provider, followed by `path`."""
        return [f"http://127.0.0.1:{port}{path}" for port in self.upstreams]


class Launch(msgspec.Struct, frozen=True):
    """A command, and what its environment has beside ours."""

    command: tuple[str, ...]
    env: Mapping[str, str] = {}


def _no_fields(site: Site) -> tuple[str, ...]:
    return ()


def _nothing(site: Site) -> Launch | None:
    return None


def _always(site: Site) -> bool:
    return True


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """`does` says in one line how it is run and by what it routes.

    `install` makes it runnable and returns its version; it raises Absent. `fields` are the header
    lines it needs on every request beside those that all get; see bench/traffic.py. `beside` is a
    server that it needs, on the other core, such as its store. `is_done` tells whether nothing
    waits of what it does after its answers, which a store that is slow would make look like rest.
    """

    name: str
    origin: str
    does: str
    install: Callable[[], str]
    launch: Callable[[Site], Launch]
    fields: Callable[[Site], tuple[str, ...]] = _no_fields
    beside: Callable[[Site], Launch | None] = _nothing
    is_done: Callable[[Site], bool] = _always
