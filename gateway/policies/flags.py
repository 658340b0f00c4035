"""Every policy in the order it is asked.

A policy is `(call, policies) -> Flag | None`; all are asked, and one refusal carries all flags.
"""

from collections.abc import Callable
from typing import Final

from gateway.calls.call import Call
from gateway.config import Policies
from gateway.generation import Flag
from gateway.policies.enforce_user_ids import enforce_user_ids
from gateway.policies.unknown_addresses import unknown_addresses

Policy = Callable[[Call, Policies], Flag | None]

POLICIES: Final[tuple[Policy, ...]] = (enforce_user_ids, unknown_addresses)


def flags_of(call: Call, policies: Policies) -> tuple[Flag, ...]:
    """The flags that speak against forwarding `call`; empty lets it pass."""
    flags: tuple[Flag, ...] = ()
    for policy in POLICIES:
        flag = policy(call, policies)
        if flag is not None:
            flags += (flag,)
    return flags
