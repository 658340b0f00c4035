"""Refuse calls that do not say which end user they are for.

Texts and the header's rules: Usage Panda's guide "Policy: Enforce User IDs". Unlike there, every
accepted source of an id satisfies the policy, not the body's `user` alone.
"""

from gateway.calls.call import Call
from gateway.config import Policies
from gateway.generation import Flag
from gateway.policies.override import is_on

OVERRIDE = "x-usagepanda-enforce-user-ids"

FLAG = Flag(
    type="policy_enforce_user_ids",
    description="Config set to block requests without user field",
)


def enforce_user_ids(call: Call, policies: Policies) -> Flag | None:
    """The flag of a call without a user id, where ids are enforced."""
    if call.user is not None or not call.endpoint.enforced:
        return None
    asked = call.overrides.get(OVERRIDE)
    return FLAG if is_on(policies.enforce_user_ids, asked, policies.header_override) else None
