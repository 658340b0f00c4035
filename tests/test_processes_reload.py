"""When a configuration is read again, and what in it may change while Hearth runs."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.config import Config
from gateway.processes.reload import ConfigRefused, Source, check_change
from tests.parts.gateways import build_config

PROVIDERS = [{"name": "a", "base_url": "http://127.0.0.1:1"}]


def watched(path: Path) -> Source:
    def read() -> Config:
        raise ConfigRefused("never read here")

    return Source(path, read)


def test_a_change_is_seen_once(tmp_path: Path) -> None:
    """A file that was written again has changed, until that is asked."""
    file = tmp_path / "config.yaml"
    file.write_text("one")
    source = watched(file)
    assert not source.has_changed()
    file.write_text("another")
    assert source.has_changed()
    assert not source.has_changed()


def test_a_link_that_is_set_anew(tmp_path: Path) -> None:
    """Kubernetes exchanges the folder that a ConfigMap's file is linked to."""
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("same")
        os.utime(tmp_path / name / "config.yaml", (0, 0))
    (tmp_path / "data").symlink_to("before")
    (tmp_path / "config.yaml").symlink_to("data/config.yaml")
    source = watched(tmp_path / "config.yaml")
    (tmp_path / "data.new").symlink_to("after")
    (tmp_path / "data.new").rename(tmp_path / "data")
    assert source.has_changed()


def test_a_file_that_is_away(tmp_path: Path) -> None:
    """Between an editor's delete and its write there is nothing to read."""
    file = tmp_path / "config.yaml"
    file.write_text("one")
    source = watched(file)
    file.unlink()
    assert not source.has_changed()
    file.write_text("another")
    assert source.has_changed()


@pytest.mark.parametrize("key", ["server.host", "server.port", "ledger.url", "ledger.journal"])
def test_what_needs_a_new_start(key: str, tmp_path: Path) -> None:
    """The refusal names the key."""
    before = build_config(tmp_path, PROVIDERS)
    section, name = key.split(".")
    other = 9 if name == "port" else "other"
    after = replace(before, **{section: replace(getattr(before, section), **{name: other})})
    with pytest.raises(ConfigRefused, match=f"^{key} can only change with a restart"):
        check_change(before, after)


def test_what_may_change(tmp_path: Path) -> None:
    """Everything else, such as providers, workers and the edge, is not refused."""
    before = build_config(tmp_path, PROVIDERS)
    others = [{"name": "b", "base_url": "http://127.0.0.1:2"}]
    check_change(before, build_config(tmp_path, others, server={"workers": 3, "wire": "aiohttp"}))
