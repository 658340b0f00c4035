"""What processes tell each other of a provider's health."""

import msgspec


class Cooldown(msgspec.Struct, frozen=True):
    """A provider is left alone from `at` until `until`, seconds on the monotonic clock, which all
    processes of a machine share.

    `ejections`: how many in a row, this one included; None for any other reason. `reason`: in
    words.
    """

    at: float
    until: float
    ejections: int | None = None
    reason: str = ""


class HealthState(msgspec.Struct, frozen=True):
    """What another process, or a later configuration, has to know of a provider's health."""

    out_since: float
    out_until: float
    recovered_at: float
    cooldown_until: float
    is_down: bool
    is_proven: bool
    ejections: int
    last_cooldown: Cooldown | None = None
