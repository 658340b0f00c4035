"""The table of a run, on the screen and in the documentation."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from bench.marks import fill_place
from bench.pages.visits import TIMES, Look, Looks
from bench.table import markdown, number

MAX_SECONDS = 0.150
MAX_BYTES = 150 * 1024

Row = tuple[str, ...]


def columns(looks: Looks) -> Row:
    """A column of milliseconds for each store and key, and one of the page's weight."""
    return ("page", *(f"{store}, {role} key, ms" for store, role in looks), "KiB at most")


def rows(looks: Looks) -> list[Row]:
    """A row a page."""
    pages = next(iter(looks.values()))
    return [(page, *_cells([each[page] for each in looks.values()])) for page in pages]


def misses(looks: Looks) -> list[str]:
    """The pages that take longer or weigh more than a page may."""
    return [
        f"{page} ({store}, {role} key): {look.seconds * 1000:.0f} ms, {look.bytes / 1024:.0f} KiB"
        for (store, role), pages in looks.items()
        for page, look in pages.items()
        if look.seconds > MAX_SECONDS or look.bytes > MAX_BYTES
    ]


def write(looks: Looks, file: Path) -> None:
    """The summary and the table in their place in `file`."""
    text = (
        f"{time.strftime('%Y-%m-%d')}, `python -m bench.pages`, medians of {TIMES}.\n\n"
        f"{summary(looks)}\n\n<details>\n<summary>Every page</summary>\n\n"
        f"{markdown(columns(looks), rows(looks))}\n\n</details>"
    )
    fill_place(file, "pages", text)


def summary(looks: Looks) -> str:
    """A line for each store and key: the median of its pages, its slowest, its heaviest."""
    lines = []
    for (store, role), pages in looks.items():
        middle = statistics.median(look.seconds for look in pages.values())
        slowest = max(pages, key=lambda page: pages[page].seconds)
        heaviest = max(pages, key=lambda page: pages[page].bytes)
        lines.append(
            f"- {store}, {role} key, {len(pages)} pages: median {number(middle * 1000)} ms;"
            f" slowest {number(pages[slowest].seconds * 1000)} ms ({slowest});"
            f" heaviest {number(pages[heaviest].bytes / 1024)} KiB ({heaviest})."
        )
    return "\n".join(lines)


def _cells(looks: Sequence[Look]) -> list[str]:
    heaviest = max(look.bytes for look in looks)
    return [*(number(look.seconds * 1000) for look in looks), number(heaviest / 1024)]
