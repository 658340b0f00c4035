"""The activity page as a PDF: the totals, then a row a group."""

import asyncio
from collections.abc import Sequence

from gateway.calendar import day_text
from gateway.dashboard.activity.lines import Line
from gateway.dashboard.activity.span import Span, metric_of
from gateway.dashboard.formats import MINUS, NOTHING, change, count, money, share, shown
from gateway.ledger.counts import Counts

_HEADINGS = ("", "Spend", "Requests", "Tokens", "$ / M tokens", "Cached", "Change")
_WIDTHS = (30, 13, 11, 13, 13, 9, 11)
_LINES = (214, 207, 198)

_LONGEST = 300
"""Letters of a name: a row has to fit on a page, also with a single word in each line."""


async def write_report(span: Span, now: Counts, before: Counts, lines: Sequence[Line]) -> bytes:
    """An A4 document, made in a thread as it takes a while."""
    return await asyncio.to_thread(_write, span, now, before, lines)


def _write(span: Span, now: Counts, before: Counts, lines: Sequence[Line]) -> bytes:
    # Imported here as it takes a quarter of a second, and few ask for a PDF.
    from fpdf import FPDF
    from fpdf.fonts import FontFace

    pdf = FPDF(format="A4")
    pdf.set_title("Hearth activity")
    pdf.set_margin(18)
    pdf.add_page()
    pdf.set_font("Helvetica", "B", 18)
    pdf.cell(0, 10, "Activity", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", size=9)
    pdf.multi_cell(0, 5, _latin(_about(span)), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    pdf.set_draw_color(*_LINES)
    aligned = ("LEFT", *("RIGHT",) * (len(_HEADINGS) - 1))
    bold = FontFace(emphasis="BOLD")
    with pdf.table(
        borders_layout="HORIZONTAL_LINES",
        col_widths=_WIDTHS,
        text_align=aligned,
        v_align="TOP",
        headings_style=bold,
        line_height=5.5,
    ) as table:
        table.row((span.group.capitalize(), *_HEADINGS[1:]))
        table.row(_cells("All", now, before, span), style=bold)
        for line in lines:
            table.row(_cells(line.name, line.now, line.before, span))
    return bytes(pdf.output())


def _about(span: Span) -> str:
    filters = {"user": span.user, "model": span.model, "provider": span.provider}
    chosen = [f"{name} {value}" for name, value in filters.items() if value is not None]
    if span.tenants is not None:
        chosen.append(f"key {', '.join(sorted(span.tenants))}")
    days = f"{day_text(span.since)} to {day_text(span.until)} (UTC), by {span.group}"
    return "; ".join((days, *chosen, "change against the same number of days before"))


def _cells(name: str, now: Counts, before: Counts, span: Span) -> list[str]:
    numbers = (
        money(now.cost),
        count(now.requests),
        count(now.tokens),
        money(now.cost_per_million),
        share(now.cached_tokens, now.prompt_tokens),
        change(*(metric_of(each, span.metric) for each in (now, before))),
    )
    return [_name(name), *(each.replace(MINUS, "-").replace(NOTHING, "-") for each in numbers)]


def _name(text: str) -> str:
    """As the pages show it, but cut where it is very long."""
    name = _latin(shown(text))
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."


def _latin(text: str) -> str:
    """What PDF's own fonts have no letter for is written as its number, so that no id is lost."""
    return text.encode("latin-1", "backslashreplace").decode("latin-1")
