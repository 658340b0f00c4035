"""Pages that are written by hand but for one place, which a measurement fills."""

from pathlib import Path


def fill_place(file: Path, name: str, text: str) -> None:
    """Put `text` between the two marks called `name` in `file`. ValueError when it has none."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, has_begin, rest = file.read_text().partition(begin)
    _, has_end, tail = rest.partition(end)
    if not has_begin or not has_end:
        raise ValueError(f"{file} has no place for it: {begin} and {end}")
    file.write_text(f"{head}{begin}\n{text}\n{end}{tail}")
