"""Whether a form was sent from one of our own pages."""

from urllib.parse import urlsplit

from aiohttp import web


def is_cross_site(request: web.Request) -> bool:
    """Whether another site's page sent it: Fetch Metadata, section 2.1, and, for browsers without
    it, RFC 6454, section 7. What sends neither is no browser."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and _host(origin) != request.host.lower()


def _host(origin: str) -> str | None:
    """The host and port; None for what is no origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
