"""What a header may change about a policy that is on."""

import pytest

from gateway.policies.override import is_on


@pytest.mark.parametrize(
    ("configured", "header", "allow", "tighten", "deny"),
    [
        (True, None, True, True, True),
        (True, "true", True, True, True),
        (True, "no", False, True, True),
        (False, None, False, False, False),
        (False, "TRUE", True, True, False),
        (False, "1", False, False, False),
    ],
)
def test_rules(
    configured: bool, header: str | None, allow: bool, tighten: bool, deny: bool
) -> None:
    """`allow` lets it decide, `tighten` only switch on, `deny` nothing; only `true` is on."""
    assert is_on(configured, header, "allow") is allow
    assert is_on(configured, header, "tighten") is tighten
    assert is_on(configured, header, "deny") is deny
