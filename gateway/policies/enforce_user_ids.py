"""Refuse calls that do not say which end user they are for.

Texts and the header's rules: guides/usage-panda-enforce-user-ids.md. Unlike there, every accepted
source of an id satisfies the policy, not the body's `user` alone.
"""

from gateway.call import Call
from gateway.config import Policies
from gateway.generation import Flag

OVERRIDE = "x-usagepanda-enforce-user-ids"

FLAG = Flag(
    type="policy_enforce_user_ids",
    description="Config set to block requests without user field",
)


def enforce_user_ids(call: Call, policies: Policies) -> Flag | None:
    """The flag of a call without a user id, where ids are enforced."""
    if call.user is not None or not call.endpoint.enforced:
        return None
    return FLAG if _is_on(call.overrides.get(OVERRIDE), policies) else None


def _is_on(header: str | None, policies: Policies) -> bool:
    """A header's lower-cased `true` is on, anything else off, as far as it may override."""
    configured = policies.enforce_user_ids
    if header is None or policies.header_override == "deny":
        return configured
    asked = header.lower() == "true"
    return asked or configured if policies.header_override == "tighten" else asked
