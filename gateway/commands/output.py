"""What commands write: results, files of rows with a progress counter, and messages."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class _ResultConsole(Console):
    """A console that lets a closed pipe be an error like any other."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Standard output, for a command's result; without colours when it is no terminal."""
    return _ResultConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)


def tell(text: str) -> None:
    """A message beside the result, on standard error."""
    sys.stderr.write(f"{text}\n")


def open_output(path: Path | None) -> TextIO:
    """The file to write, else standard output; no line end is ever translated."""
    stdout = sys.stdout.fileno()
    target = stdout if path is None else path
    return open(target, "w", encoding="utf-8", newline="", closefd=path is not None)


def json_lines(items: Iterable[object]) -> str:
    """Each item as a line of JSON."""
    return msgspec.json.Encoder().encode_lines(items).decode()


@contextmanager
def counting_rows() -> Iterator[Callable[[int], None]]:
    """A function to tell how many more rows were written; shown to people only."""
    err = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task("export", total=None)
        yield lambda rows: progress.advance(task, rows)
