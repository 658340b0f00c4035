"""The lists that a batch's generations, models, tenants and periods are put on."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.generation import Generation
from gateway.ledger.redis import keys
from gateway.ledger.redis.batch import Listed, Numbers
from gateway.ledger.store import GenerationQuery

_AT_ONCE = 1000
"""How many members a list is given by one command: Lua hands on some thousand arguments at most."""

FLAGGED = "flagged"

Scores = dict[str, str]
"""Members with their scores, which are texts of the same length."""


class Lists:
    """Each list's members."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._lists: dict[int, Scores] = {}
        self._shared: dict[tuple[str, str, str], Sequence[Scores]] = {}

    def keep(self, one: Generation) -> None:
        """A generation, on each list that it belongs on, and what leads to these."""
        names, moment = self._numbers.names, moment_of(one)
        newest, served, pairs, tenants = self._lists_of(one)
        newest[one.id] = served[one.id] = moment
        _raise(pairs, keys.joined(one.model or "", one.provider or ""), moment)
        _raise(tenants, one.tenant, moment)
        if one.user is not None:
            self._of_generations(names.newest_of_user(one.tenant, one.user))[one.id] = moment
        for kind in kinds_of(one):
            self._of_generations(names.unusual(one.tenant, kind))[one.id] = moment

    def note(self, period: str, tenant: str) -> None:
        """That something is kept of an hour, a day or a month."""
        periods = self._list(self._numbers.names.periods, self._numbers.ends.of_registers)
        periods[keys.joined(period, tenant)] = str(keys.last_day(period))

    def listed(self) -> Iterator[Listed]:
        """As a batch has them."""
        for key, scores in self._lists.items():
            yield from _listed(key, scores)

    def _lists_of(self, one: Generation) -> Sequence[Scores]:
        """Those that a generation shares with all of its tenant, model and provider."""
        tenant, model, provider = one.tenant, one.model or "", one.provider or ""
        lists = self._shared.get((tenant, model, provider))
        if lists is None:
            names = self._numbers.names
            lists = self._shared[tenant, model, provider] = (
                self._of_generations(names.newest(tenant)),
                self._of_generations(names.served(tenant, model, provider)),
                self._of_generations(names.pairs(tenant)),
                self._list(names.tenants, self._numbers.ends.of_registers),
            )
        return lists

    def _of_generations(self, key: str) -> Scores:
        return self._list(key, self._numbers.ends.of_generations)

    def _list(self, key: str, end: int) -> Scores:
        return self._lists.setdefault(self._numbers.expiring(key, end), {})


def moment_of(one: Generation) -> str:
    """As text that is ordered as moments are."""
    return f"{one.created_at:016}"


def kinds_of(one: Generation) -> Iterator[str]:
    """What is unusual about a generation: each has a short list, so that trouble is soon found."""
    if one.status != 200:
        yield str(one.status)
    if one.outcome != "ok":
        yield one.outcome
    if one.flags:
        yield FLAGGED


def kind_of(query: GenerationQuery) -> str | None:
    """The one short list that all that matches is on; None when there is none."""
    status = query.status
    if status is not None and status.isdecimal():
        status = None if int(status) == 200 else str(int(status))
    if status not in (None, "ok"):
        return status
    return FLAGGED if query.flagged else None


def _raise(scores: Scores, member: str, score: str) -> None:
    scores[member] = max(score, scores.get(member, ""))


def _listed(key: int, scores: Mapping[str, str]) -> Iterator[Listed]:
    members = list(scores)
    for start in range(0, len(members), _AT_ONCE):
        listed: list[int | str] = [key]
        for member in members[start : start + _AT_ONCE]:
            listed += scores[member], member
        yield listed
