"""Refuse what would pass through unread: addresses that Hearth does not know.

Nobody says there for whom a call is, and what a provider keeps for one key, such as files, the
others of the same account can read.
"""

from gateway.calls.call import Call
from gateway.config import Policies
from gateway.generation import Flag

FLAG = Flag(
    type="policy_unknown_addresses",
    description="Config set to block addresses that the gateway does not know",
)


def unknown_addresses(call: Call, policies: Policies) -> Flag | None:
    """The flag of a call to an address that is not in the table, where those are blocked."""
    is_blocked = not call.endpoint.known and policies.unknown_addresses == "block"
    return FLAG if is_blocked else None
