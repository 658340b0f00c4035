"""A filter, sorted into what the ledger can be asked."""

from collections.abc import Iterable

import msgspec

from gateway.api.helicone.filters import Filter, Leaf, Tree, conditions
from gateway.api.helicone.operators import MomentTest, TextTest
from gateway.api.timespan import Timespan
from gateway.calendar import microseconds
from gateway.errors import BadRequest
from gateway.generation import Generation
from gateway.ledger.conditions import EVERYONE, Condition, Junction

_MAX_TESTS = 200


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which users of `tenants` (None: of all), by their requests within `span`.

    `users`: the only ids meant, the empty one for calls without. `requests`: what has to hold of
    each request that is counted; `condition`: of each user's sum.
    """

    tenants: frozenset[str] | None
    span: Timespan
    users: frozenset[str] | None = None
    requests: tuple[Tree, ...] = ()
    condition: Condition = EVERYONE

    @property
    def user(self) -> str | None:
        """The only id meant, if it is one; empty for calls without."""
        return next(iter(self.users)) if self.users and len(self.users) == 1 else None

    def counts(self, one: Generation) -> bool:
        """Whether a request is among those that are counted."""
        if self.users is not None and (one.user or "") not in self.users:
            return False
        return all(tree.holds(one) for tree in self.requests)


def read_question(node: Filter, tenants: frozenset[str] | None, span: Timespan) -> Question:
    """The question that `node` asks of the requests within `span`."""
    trees = list(conditions(node))
    if sum(map(_size, trees)) > _MAX_TESTS:
        raise BadRequest(f"The filter has more than {_MAX_TESTS} tests")
    times = [tree for tree in trees if _is_time(tree)]
    users = [tree for tree in trees if "user" in tree.sides]
    return Question(
        tenants=tenants,
        span=_narrowed(span, times),
        users=_named(users),
        requests=tuple(tree for tree in trees if tree not in times and tree not in users),
        condition=Junction(tuple(tree.condition for tree in users)),
    )


def _size(tree: Tree) -> int:
    """At least 1, so that even empty tests are limited in number."""
    if isinstance(tree, Leaf):
        return max(1, sum(1 for _ in tree.test.comparisons()))
    return max(1, sum(map(_size, tree.parts)))


def _is_time(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and tree.field == "request_created_at"


def _narrowed(span: Timespan, times: Iterable[Tree]) -> Timespan:
    since, until = [span.since], [span.until]
    for tree in times:
        if isinstance(tree, Leaf) and isinstance(tree.test, MomentTest):
            test = tree.test
            since += [microseconds(m) for m in (test.gte, test.equals) if m]
            since += [microseconds(test.gt) + 1] if test.gt else []
            until += [microseconds(test.lt)] if test.lt else []
            until += [microseconds(m) + 1 for m in (test.lte, test.equals) if m]
    return Timespan(max(since), min(until))


def _named(trees: Iterable[Tree]) -> frozenset[str] | None:
    for tree in trees:
        if isinstance(tree, Leaf) and isinstance(tree.test, TextTest):
            named = tree.test.equals
            if isinstance(named, str):
                return frozenset((named,))
    return None
