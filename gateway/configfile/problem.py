"""What is wrong with a configuration file, reported as one line for each problem."""

import re
from collections.abc import Sequence

import msgspec

from gateway.configfile.yamltree import KeyPath

Finding = tuple[KeyPath, str]
"""Where something is wrong, and what was expected there."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong; as a string it is one line.

    `line` counts from 1, None when the file cannot be read. `key` is a path such as
    `providers[0].weight`, empty for the file as a whole. `expected` is a sentence without any
    value from the file.
    """

    file: str
    line: int | None
    key: str
    expected: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.expected) if part)


class ConfigError(Exception):
    """A configuration that cannot be used; `problems` are in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def spell(path: KeyPath) -> str:
    """`providers[0].prices["gpt-4.1"]`; a name that is not plain is quoted as in JSON."""
    spelled = ""
    for part in path:
        if isinstance(part, int):
            spelled += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part):
            spelled += f".{part}" if spelled else part
        else:
            spelled += f"[{msgspec.json.encode(part).decode()}]"
    return spelled
