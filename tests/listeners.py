"""A fast edge by itself, without a gateway behind it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.calls.endpoint import Target, parse_target
from gateway.calls.request import Request
from gateway.wire.downstream import Downstream
from gateway.wire.edge import Listener
from gateway.wire.limits import Limits
from gateway.wire.trusted_proxies import TrustedProxies

Handle = Callable[[Request, Target, Downstream], Coroutine[Any, Any, None]]


def lone_listener(handle: Handle, limits: Limits) -> Listener:
    """What the connections share whose calls `handle` answers; it knows everybody."""
    return Listener(
        route=parse_target,
        handle=handle,
        refuse=lambda *_: None,
        knows=lambda _: True,
        commit=lambda: None,
        fallback=asyncio.Protocol,
        proxies=TrustedProxies(()),
        max_body=1000,
        limits=limits,
    )
