"""The figures and tables of a page, as someone reads them."""

import html
import re
from typing import NamedTuple


class Cell(NamedTuple):
    """What a cell says, and what it says when pointed at."""

    text: str
    title: str

    @property
    def number(self) -> int:
        """A count; of money, the nano-dollars that the title tells exactly."""
        exact = self.title or self.text
        return int(re.sub(r"[$,.]", "", exact))


def figures(page: str) -> dict[str, Cell]:
    """The big figures of a page, by name."""
    found = re.findall(r"<dt>(.*?)</dt><dd([^>]*)>(.*?)</dd>", page, re.DOTALL)
    return {_text(name): _cell(attributes, content) for name, attributes, content in found}


def table(page: str, region: str) -> list[dict[str, Cell]]:
    """The rows of the table in a region, its foot included, by the headings of the columns."""
    start = page.index(f'aria-label="{region}"')
    content = page[start : page.index("</table>", start)]
    head, _, body = content.partition("</thead>")
    headings = [_text(each) for each in re.findall(r"<th[^>]*>(.*?)</th>", head, re.DOTALL)]
    return [
        dict(zip(headings, _cells(row), strict=True))
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    ]


def _cells(row: str) -> list[Cell]:
    return [_cell(*each) for each in re.findall(r"<td([^>]*)>(.*?)</td>", row, re.DOTALL)]


def _cell(attributes: str, content: str) -> Cell:
    title = re.search(r'title="(.*?)"', attributes)
    return Cell(_text(content), title[1] if title else "")


def _text(content: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", content)).strip()
