"""What metering finds out about one answer."""

from typing import Final

from gateway.generation import Flag, Usage

_NOTHING: Final = Usage()


class Reading:
    """What is known about an answer; it does not change.

    `cost`: nano-dollars the upstream itself reports. `error`: the upstream's message, out of an
    error body or of an error event in mid-stream. `flags`: what in it counts against its user.
    """

    def __init__(
        self,
        *,
        usage: Usage = _NOTHING,
        upstream_id: str | None = None,
        finish_reason: str | None = None,
        cost: int | None = None,
        error: str | None = None,
        flags: tuple[Flag, ...] = (),
    ) -> None:
        self.usage: Final = usage
        self.upstream_id: Final = upstream_id
        self.finish_reason: Final = finish_reason
        self.cost: Final = cost
        self.error: Final = error
        self.flags: Final = flags

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reading) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"Reading{self._fields()}"

    def _fields(self) -> tuple[object, ...]:
        known = (self.usage, self.upstream_id, self.finish_reason)
        return (*known, self.cost, self.error, self.flags)
