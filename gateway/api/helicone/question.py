"""A filter made into a question that the ledger can be asked."""

from collections.abc import Iterable

import msgspec

from gateway.api.helicone.filters import Filter, Leaf, Tree, conditions
from gateway.api.helicone.operators import MomentTest, TextTest
from gateway.api.times import microseconds
from gateway.api.timespan import Timespan
from gateway.generation import Generation
from gateway.ledger.store import UserRow


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which users of `tenants` (None: of all), by their requests within `span`.

    `user`: the only one meant. `requests` and `users`: what has to hold of each request that is
    counted, and of each user's sum.
    """

    tenants: frozenset[str] | None
    span: Timespan
    user: str | None = None
    requests: tuple[Tree, ...] = ()
    users: tuple[Tree, ...] = ()

    def counts(self, generation: Generation) -> bool:
        """Whether a request is one of those meant."""
        return all(tree.holds("request", generation) for tree in self.requests)

    def means(self, row: UserRow) -> bool:
        """Whether a user is one of those meant."""
        return all(tree.holds("user", row) for tree in self.users)


def read_question(node: Filter, tenants: frozenset[str] | None, span: Timespan) -> Question:
    """The question that `node` asks of the requests within `span`."""
    trees = list(conditions(node))
    times = [tree for tree in trees if _is_time(tree)]
    users = [tree for tree in trees if "user" in tree.sides]
    return Question(
        tenants=tenants,
        span=_narrowed(span, times),
        user=_named(users),
        requests=tuple(tree for tree in trees if tree not in times and tree not in users),
        users=tuple(users),
    )


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


def _named(trees: Iterable[Tree]) -> str | None:
    for tree in trees:
        if isinstance(tree, Leaf) and isinstance(tree.test, TextTest) and tree.test.equals:
            return tree.test.equals
    return None
