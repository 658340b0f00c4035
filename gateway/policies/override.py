"""What a request's header may change about a policy.

The header's rules: Usage Panda's guide "Policy: Enforce User IDs".
"""

from typing import Literal


def is_on(configured: bool, header: str | None, rule: Literal["allow", "tighten", "deny"]) -> bool:
    """A header's lower-cased `true` is on, anything else off, as far as `rule` lets it."""
    if header is None or rule == "deny":
        return configured
    asked = header.lower() == "true"
    return asked or configured if rule == "tighten" else asked
