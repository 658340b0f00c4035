"""Money: whole nano-dollars inside, USD outside."""

from decimal import ROUND_HALF_UP, Decimal

_NANO = 10**9


def usd(nano_dollars: float) -> float:
    """Nano-dollars as USD; one division, so the nearest float to the exact amount."""
    return nano_dollars / _NANO


def nano(dollars: float | Decimal) -> int:
    """USD as nano-dollars, rounded half up, exact for up to nine decimals: a float is taken by its
    shortest decimal form, which is what was written."""
    return int((Decimal(str(dollars)) * _NANO).quantize(Decimal(1), ROUND_HALF_UP))
