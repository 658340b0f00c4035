"""What metering finds out about one answer."""

import msgspec

from gateway.generation import Flag, Usage


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about an answer.

    `cost`: nano-dollars the upstream itself reports. `error`: the upstream's message, out of an
    error body or of an error event in mid-stream. `flags`: what in it counts against its user.
    """

    usage: Usage = Usage()
    upstream_id: str | None = None
    finish_reason: str | None = None
    cost: int | None = None
    error: str | None = None
    flags: tuple[Flag, ...] = ()
