"""A configuration file as a `Config`, or everything that is wrong with it, line by line.

Three passes: `yamltree` makes a tree of the text, `records` makes records of the tree, and `rules`
look at what only several values together can get wrong. A pass goes on after a problem with what
is sound, so one run finds them all. What is wrong is a `problem`, with what was `expected` there.
No text here ever holds a value of the file: it may be a key.
"""

from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path

from msgspec.structs import replace

from gateway.config import Config
from gateway.configfile import yamltree
from gateway.configfile.problem import ConfigError, Problem, spell
from gateway.configfile.records import RecordReader
from gateway.configfile.rules import broken_rules, missing_extras, unusable_files
from gateway.configfile.yamltree import Fault

__all__ = ["ConfigError", "Problem", "load"]


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read the YAML file at `path`; `${NAME}` in it comes from `environ`.

    Other files, of `${file:PATH}` and of `server.tls`, are relative to the file's folder; the
    latter are absolute in the result. Raises ConfigError with every problem there is.
    """
    document = yamltree.parse(_read(path), environ, cache(partial(_secret, path.parent)))
    reader = RecordReader()
    config: Config = reader.read(document.root, Config, ())
    findings = [*reader.findings, *broken_rules(reader.records, document.root)]
    findings += missing_extras(reader.records)
    findings += unusable_files(reader.records, path.parent)
    faults = [Fault(document.line(at), at, expected) for at, expected in findings]
    if problems := _problems(path, [*document.faults, *faults]):
        raise ConfigError(problems)
    return _with_tls_beside(config, path.parent.absolute())


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        expected = f"Expected a file that can be read: {error.strerror}"
        raise ConfigError([Problem(str(path), None, "", expected)]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "", "Expected text in UTF-8")]) from error


def _secret(folder: Path, name: str) -> str | None:
    """What a file holds, less the end of its last line; None where it cannot be read as text."""
    try:
        return (folder / name).read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError):
        return None


def _problems(path: Path, faults: Iterable[Fault]) -> list[Problem]:
    in_order = sorted(faults, key=lambda fault: fault.line)
    return [Problem(str(path), at.line, spell(at.path), at.expected) for at in in_order]


def _with_tls_beside(config: Config, folder: Path) -> Config:
    server = config.server
    if server.tls is None:
        return config
    return replace(config, server=replace(server, tls=server.tls.beside(folder)))
