"""Measurements in pages that are written by hand."""

from pathlib import Path

import pytest

from bench.marks import fill_place


def test_the_place_is_filled(tmp_path: Path) -> None:
    """What is between the marks is exchanged, and nothing around them."""
    file = tmp_path / "page.md"
    file.write_text("before\n<!-- soak: begin -->\nold\n<!-- soak: end -->\nafter\n")
    fill_place(file, "soak", "new")
    assert file.read_text() == "before\n<!-- soak: begin -->\nnew\n<!-- soak: end -->\nafter\n"


@pytest.mark.parametrize(
    "text", ["", "<!-- soak: begin -->\n", "<!-- soak: end -->\n<!-- soak: begin -->\n"]
)
def test_a_page_without_a_place(tmp_path: Path, text: str) -> None:
    """A page that lacks a mark is an error, and stays as it is."""
    file = tmp_path / "page.md"
    file.write_text(text)
    with pytest.raises(ValueError, match="no place"):
        fill_place(file, "soak", "new")
    assert file.read_text() == text
