"""How numbers, money, moments and names look on the pages."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.calendar import day_text, first_day, iso_moment
from gateway.dashboard.addresses import generation_path, link, user_path
from gateway.money import usd
from gateway.units import counted

NOTHING = "\u2013"
MINUS = "\u2212"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIDI_CONTROLS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_INVISIBLE = (
    *(0x00AD, 0x034F, 0x115F, 0x1160, 0x180E, 0x200B, 0x2028, 0x2029, 0x2800, 0x3164),
    *(0xFEFF, 0xFFA0, *range(0x0080, 0x00A0), *range(0x2060, 0x2065), *range(0x206A, 0x2070)),
    *(*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)),
)
_JOINING = "\u200c\u200d\ufe0e\ufe0f"
_SIGNS = {
    **{code: chr(0x2400 + code) for code in range(32)},
    127: "\u2421",
    **dict.fromkeys((*_BIDI_CONTROLS, *_INVISIBLE), "\ufffd"),
}
"""Control characters as their pictures; what turns the writing around or is not to be seen as
replacements. Joiners stay, emoji and whole scripts are written with them."""


def money(nano_dollars: float) -> str:
    """A sum in USD, to a hundredth of a cent: the same for all, so that columns are aligned."""
    sign = MINUS if nano_dollars < 0 else ""
    return f"{sign}${abs(usd(nano_dollars)):,.4f}"


def fine_money(nano_dollars: int) -> str:
    """The cost of a single call in USD, to a millionth."""
    sign = MINUS if nano_dollars < 0 else ""
    return f"{sign}${abs(usd(nano_dollars)):,.6f}"


def exact_money(nano_dollars: int) -> str:
    """USD to the last nano-dollar."""
    sign = MINUS if nano_dollars < 0 else ""
    whole, rest = divmod(abs(nano_dollars), 1_000_000_000)
    return f"{sign}${whole:,}.{rest:09}"


def short_money(nano_dollars: int) -> str:
    """USD without the zeros that need not be written."""
    return exact_money(nano_dollars).rstrip("0").rstrip(".")


def money_tick(nano_dollars: int, step: int) -> str:
    """USD on a scale of `step`: cents, or as many places as a step has, the same all along."""
    places = len(f"{step % 1_000_000_000:09}".rstrip("0"))
    return f"${usd(nano_dollars):,.{places and max(2, places)}f}"


def count(number: float) -> str:
    """A whole number with separators; one that is not whole, to a tenth."""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"


def share(part: float, whole: float) -> str:
    """A percentage; a dash of nothing."""
    return f"{part / whole:.1%}" if whole else NOTHING


def duration(milliseconds: float | None) -> str:
    """Milliseconds below ten seconds, seconds above; a dash when there is none."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 10_000:
        return f"{round(milliseconds):,} ms"
    return f"{milliseconds / 1000:,.1f} s"


def lasting(seconds: float) -> str:
    """How long something lasts: seconds below two minutes, minutes above."""
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:,.3g} min"


def moment(microseconds: int) -> str:
    """When, to the second, UTC."""
    return f"{_EPOCH + timedelta(microseconds=microseconds):%b %-d, %H:%M:%S}"


def short_day(day: int) -> str:
    """`Nov 21`."""
    return f"{_EPOCH + timedelta(days=day):%b %-d}"


def short_hour(hour: int) -> str:
    """`Nov 21, 14:00`."""
    return f"{_EPOCH + timedelta(hours=hour):%b %-d, %H:00}"


def month_name(month: int) -> str:
    """`November 2026`."""
    return f"{_EPOCH + timedelta(days=first_day(month)):%B %Y}"


def form_moment(microseconds: int | None) -> str:
    """As an `<input type=datetime-local>` wants it, UTC."""
    return iso_moment(microseconds)[:16] if microseconds is not None else ""


def change(now: float, before: float) -> str:
    """By how much something grew or shrank; a dash when there was nothing before, or less."""
    if before <= 0:
        return NOTHING
    growth = round(now / before - 1, 3)
    return f"{growth:+,.1%}".replace("-", MINUS) if growth else "0.0%"


def shown(text: str) -> str:
    """Text that looks like what it is: nothing in it is hidden, and no text looks empty."""
    signs = text.translate(_SIGNS)
    return signs if signs.strip(_JOINING) else "\ufffd" * len(signs)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "money": money,
    "fine_money": fine_money,
    "exact_money": exact_money,
    "count": count,
    "duration": duration,
    "lasting": lasting,
    "counted": counted,
    "moment": moment,
    "iso": iso_moment,
    "day": day_text,
    "form_moment": form_moment,
    "shown": shown,
    "user_path": user_path,
    "generation_path": generation_path,
}

GLOBALS: Mapping[str, Callable[..., Any]] = {"share": share, "change": change, "link": link}
