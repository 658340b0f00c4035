"""Helicone's filters: a tree of tests on single requests and on users.

docs.helicone.ai/rest/user/post-v1usermetricsquery, `UserFilterNode`. The fields are those of which
Hearth has data; any other is an error that names it.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from gateway.api.helicone.fields import FIELDS, OF_REQUESTS, OF_USERS, Side
from gateway.api.helicone.operators import MomentTest, NumberTest, Test, TextTest
from gateway.api.json_body import JsonBody
from gateway.errors import BadRequest
from gateway.generation import Generation
from gateway.ledger.conditions import Comparison, Condition, Junction

_MAX_DEPTH = 100


class RequestTests(JsonBody, frozen=True, kw_only=True):
    """Tests of single requests, in milliseconds and USD."""

    user_id: TextTest | UnsetType = UNSET
    request_id: TextTest | UnsetType = UNSET
    model: TextTest | UnsetType = UNSET
    provider: TextTest | UnsetType = UNSET
    request_referrer: TextTest | UnsetType = UNSET
    status: NumberTest | UnsetType = UNSET
    latency: NumberTest | UnsetType = UNSET
    time_to_first_token: NumberTest | UnsetType = UNSET
    cost: NumberTest | UnsetType = UNSET
    prompt_tokens: NumberTest | UnsetType = UNSET
    completion_tokens: NumberTest | UnsetType = UNSET
    prompt_cache_read_tokens: NumberTest | UnsetType = UNSET
    prompt_cache_write_tokens: NumberTest | UnsetType = UNSET
    total_tokens: NumberTest | UnsetType = UNSET
    request_created_at: MomentTest | UnsetType = UNSET
    response_created_at: MomentTest | UnsetType = UNSET


class UserTests(JsonBody, frozen=True, kw_only=True):
    """Tests of a user's sums, in USD."""

    user_user_id: TextTest | UnsetType = UNSET
    user_active_for: NumberTest | UnsetType = UNSET
    user_first_active: MomentTest | UnsetType = UNSET
    user_last_active: MomentTest | UnsetType = UNSET
    user_total_requests: NumberTest | UnsetType = UNSET
    user_average_requests_per_day_active: NumberTest | UnsetType = UNSET
    user_average_tokens_per_request: NumberTest | UnsetType = UNSET
    user_total_completion_tokens: NumberTest | UnsetType = UNSET
    user_total_prompt_tokens: NumberTest | UnsetType = UNSET
    user_cost: NumberTest | UnsetType = UNSET


class FilterNode(JsonBody, frozen=True, kw_only=True):
    """A branch, which has `left`, `operator` and `right`, or a leaf, whose tests all hold."""

    left: "Filter | UnsetType" = UNSET
    operator: Literal["and", "or"] | UnsetType = UNSET
    right: "Filter | UnsetType" = UNSET
    request_response_rmt: RequestTests | UnsetType = UNSET
    users_view: UserTests | UnsetType = UNSET


Filter = Literal["all"] | FilterNode


class Leaf(msgspec.Struct, frozen=True):
    """One test of one field."""

    field: str
    test: Test

    @property
    def sides(self) -> frozenset[Side]:
        return frozenset(side for side, fields in FIELDS.items() if self.field in fields)

    def holds(self, one: Generation) -> bool:
        return self.test.holds(OF_REQUESTS[self.field](one))

    @property
    def condition(self) -> Condition:
        """The same test, on a user's sums."""
        measure = OF_USERS[self.field]
        tests = (Comparison(measure, name, value) for name, value in self.test.comparisons())
        return Junction(tuple(tests))


class Branch(msgspec.Struct, frozen=True):
    """`parts` that all hold, or of which any does."""

    is_any: bool
    parts: tuple["Tree", ...]

    @property
    def sides(self) -> frozenset[Side]:
        return frozenset[Side](("request", "user")).intersection(*(p.sides for p in self.parts))

    def holds(self, one: Generation) -> bool:
        combine = any if self.is_any else all
        return combine(part.holds(one) for part in self.parts)

    @property
    def condition(self) -> Condition:
        """The same tests, on a user's sums."""
        return Junction(tuple(part.condition for part in self.parts), self.is_any)


Tree = Leaf | Branch


def conditions(node: Filter, depth: int = 0) -> Iterator[Tree]:
    """The conditions that must all hold. Raises BadRequest where the tree is not well-formed."""
    if depth > _MAX_DEPTH:
        raise BadRequest("The filter is nested too deeply")
    if node == "all":
        return
    branch = [part for part in (node.left, node.right) if part is not UNSET]
    if node.operator is UNSET and not branch:
        yield from _leaves(node)
    elif (
        node.operator is UNSET or len(branch) < 2 or (node.request_response_rmt or node.users_view)
    ):
        raise BadRequest("A filter's branch has `left`, `operator` and `right`, and nothing else")
    elif node.operator == "and":
        yield from (tree for part in branch for tree in conditions(part, depth + 1))
    else:
        yield _either([tuple(conditions(part, depth + 1)) for part in branch])


def _either(parts: list[tuple[Tree, ...]]) -> Branch:
    branch = Branch(True, tuple(Branch(False, part) for part in parts))
    if not branch.sides:
        raise BadRequest("A filter's `or` cannot join tests of `users_view` to those of requests")
    return branch


def _leaves(node: FilterNode) -> Iterator[Leaf]:
    for tests in (node.request_response_rmt, node.users_view):
        if tests is not UNSET:
            named = ((name, getattr(tests, name)) for name in tests.__struct_fields__)
            yield from (Leaf(name, test) for name, test in named if test is not UNSET)
