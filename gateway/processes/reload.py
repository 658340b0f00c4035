"""Reloading the configuration: whether its file has changed, and what a change may touch."""

from collections.abc import Callable
from pathlib import Path

from gateway.config import Config

_FIXED = ("server.host", "server.port", "ledger.url", "ledger.journal")
"""What only a restart can change: the sockets stay open, and so do the journals and the store."""


class ConfigRefused(Exception):
    """The configuration cannot be used as it is now; the text says why."""


class Source:
    """The configuration's file; changes count from when this is made. `read` raises ConfigRefused.

    The file may be a link that is set to another one, as Kubernetes does with a ConfigMap.
    """

    def __init__(self, path: Path, read: Callable[[], Config]) -> None:
        self.path = path
        self.read = read
        self._seen = _mark(path)

    def has_changed(self) -> bool:
        """Whether it has since this was last called; not while the file is missing."""
        mark = _mark(self.path)
        if mark is None or mark == self._seen:
            return False
        self._seen = mark
        return True


def check_change(before: Config, after: Config) -> None:
    """Raises ConfigRefused when `after` cannot take the place of `before`."""
    if changed := [key for key in _FIXED if _value(before, key) != _value(after, key)]:
        raise ConfigRefused(f"{', '.join(changed)} can only change with a restart")


def _value(config: Config, key: str) -> object:
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
