"""The kinds of sections; a folder for one configuration file, and what is wrong with it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config import Config, Section
from gateway.configfile import ConfigError, load

PROVIDER = "providers:\n  - name: p\n    base_url: https://p.test/v1\n"


def all_sections(kind: type[Section] = Section) -> list[type[Section]]:
    """Every kind of section there is."""
    return [each for child in kind.__subclasses__() for each in (child, *all_sections(child))]


class Folder:
    """A folder for one configuration file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "config.yaml"

    def load(self, text: str, environ: Mapping[str, str] | None = None) -> Config:
        self.file.write_text(text, encoding="utf-8")
        return load(self.file, environ or {})

    def problems(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        """Each problem as `line key: expected`."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ)
        assert {problem.file for problem in caught.value.problems} == {str(self.file)}
        return [f"{p.line} {p.key}: {p.expected}" for p in caught.value.problems]
