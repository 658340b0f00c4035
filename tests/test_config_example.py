"""config.example.yaml has every key, and states its default."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import Section
from gateway.configfile import ConfigError, load, yamltree
from gateway.sockets import is_loopback
from tests.parts.configs import all_sections

EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"


EXAMPLE_ENVIRON = {
    "APP_KEY": "sk-app",
    "OPS_KEY_SHA256": "0" * 64,
    "OPENAI_KEY_A": "sk-a",
    "OPENAI_KEY_B": "sk-b",
}


def sections(value: Any, path: yamltree.KeyPath = ()) -> Iterator[tuple[yamltree.KeyPath, Section]]:
    """Every section in `value`, with its path."""
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Section):
        yield path, value
        inner = msgspec.structs.asdict(value).items()
    elif isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, tuple):
        inner = enumerate(value)
    for name, item in inner:
        yield from sections(item, (*path, name))


@pytest.mark.parametrize("section", all_sections())
def test_example_shows_every_key(section: type[Section]) -> None:
    """The example is the reference: no key is missing from it."""
    text = EXAMPLE.read_text()
    for name in section.__struct_fields__:
        assert re.search(rf"^[ #-]*{name}:", text, re.MULTILINE), name


def test_example_states_the_defaults() -> None:
    """Where a value has a comment without `required` or `example`, it is the key's default."""
    text = EXAMPLE.read_text()
    document = yamltree.parse(text, EXAMPLE_ENVIRON)
    comments = [line.partition(" # ")[2] for line in text.split("\n")]
    checked = set()
    for path, record in sections(load(EXAMPLE, EXAMPLE_ENVIRON)):
        for field in msgspec.structs.fields(record):
            comment = comments[document.lines.get((*path, field.name), 0) - 1]
            default = (*path, field.name) in document.lines and comment
            if default and not comment.startswith(("required", "example")):
                assert getattr(record, field.name) == field.default, (*path, field.name)
                checked.add(field.name)
    assert {"host", "port", "max_body", "drain", "points", "journal", "activity"} < checked


def test_example_is_open_to_this_machine_only() -> None:
    """The example starts as it is, on a loopback address, and needs no extra to be installed."""
    config = load(EXAMPLE, EXAMPLE_ENVIRON)
    assert config.tracing is None
    assert is_loopback(config.server.host)
    assert [provider.name for provider in config.providers] == ["openai-a", "openai-b"]


@pytest.mark.parametrize("name", sorted(EXAMPLE_ENVIRON))
def test_example_needs_its_variables(name: str) -> None:
    """Each secret of the example comes from the environment, and is missed there."""
    with pytest.raises(ConfigError, match=f"Expected the environment variable `{name}`"):
        load(EXAMPLE, {**EXAMPLE_ENVIRON, name: ""})
