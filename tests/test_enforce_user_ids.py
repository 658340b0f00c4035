"""Enforced user ids: config, key, header and what the header may do."""

from typing import Literal

import pytest

from gateway.calls.call import Call, EndUser
from gateway.calls.endpoint import ENDPOINTS, Endpoint
from gateway.config import Policies
from gateway.policies.enforce_user_ids import FLAG, OVERRIDE, enforce_user_ids

Rule = Literal["allow", "tighten", "deny"]

# configured, header_override, header -> refused
TABLE: list[tuple[bool, Rule, str | None, bool]] = [
    (False, "allow", None, False),
    (False, "allow", "true", True),
    (False, "allow", "false", False),
    (True, "allow", None, True),
    (True, "allow", "true", True),
    (True, "allow", "false", False),
    (False, "tighten", None, False),
    (False, "tighten", "true", True),
    (False, "tighten", "false", False),
    (True, "tighten", None, True),
    (True, "tighten", "true", True),
    (True, "tighten", "false", True),
    (False, "deny", None, False),
    (False, "deny", "true", False),
    (False, "deny", "false", False),
    (True, "deny", None, True),
    (True, "deny", "true", True),
    (True, "deny", "false", True),
]


def call(header: str | None = None, user: EndUser | None = None, path: str = "completions") -> Call:
    overrides = {} if header is None else {OVERRIDE: header}
    return Call(endpoint=ENDPOINTS[path], tenant="my-app", user=user, overrides=overrides)


@pytest.mark.parametrize(("configured", "rule", "header", "refused"), TABLE)
def test_config_and_header(configured: bool, rule: Rule, header: str | None, refused: bool) -> None:
    """`allow`: the header decides; `tighten`: it only switches on; `deny`: it is not read."""
    policies = Policies(enforce_user_ids=configured, header_override=rule)
    assert enforce_user_ids(call(header), policies) == (FLAG if refused else None)


@pytest.mark.parametrize(("configured", "rule", "header", "refused"), TABLE)
def test_call_with_a_user_always_passes(
    configured: bool, rule: Rule, header: str | None, refused: bool
) -> None:
    """Whoever named the end user, from whatever source, is not refused."""
    policies = Policies(enforce_user_ids=configured, header_override=rule)
    for source in ("user", "helicone-user-id", "safety_identifier", "metadata.user_id"):
        assert enforce_user_ids(call(header, EndUser("u", source)), policies) is None


@pytest.mark.parametrize(
    ("header", "refused"),
    [
        *(("true", True), ("True", True), ("TRUE", True), ("tRuE", True)),
        *(("1", False), ("yes", False), ("on", False), ("", False), ("truee", False)),
    ],
)
def test_lower_cased_true_is_on_and_all_else_off(header: str, refused: bool) -> None:
    """Usage Panda's rule; off means off although the config says on."""
    for configured in (True, False):
        policies = Policies(enforce_user_ids=configured)
        assert (enforce_user_ids(call(header), policies) is FLAG) == refused


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_that_generates(path: str) -> None:
    """Moderations take no `user`, and counting tokens is for nobody: there no one is asked for."""
    flag = enforce_user_ids(call(path=path), Policies(enforce_user_ids=True))
    assert flag == (FLAG if ENDPOINTS[path].enforced else None)


def test_unknown_endpoint_is_not_refused() -> None:
    """What passes through unread cannot be blamed for what it does not say."""
    unknown = Endpoint(path="files", enforced=False, known=False)
    asked = Call(endpoint=unknown, tenant="my-app", overrides={OVERRIDE: "true"})
    assert enforce_user_ids(asked, Policies(enforce_user_ids=True)) is None


def test_flag_has_usage_pandas_words() -> None:
    """Type and description as their logs and clients know them."""
    assert FLAG.type == "policy_enforce_user_ids"
    assert FLAG.description == "Config set to block requests without user field"
