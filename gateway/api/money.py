"""Money as the APIs show it."""


def usd(nano_dollars: float) -> float:
    """Nano-dollars as USD; one division, so the nearest float to the exact amount."""
    return nano_dollars / 1_000_000_000
