"""The lists that a batch's generations, models, tenants and periods are put on."""

from collections.abc import Iterator

from gateway.generation import Generation
from gateway.ledger.redis import keys
from gateway.ledger.redis.batch import Listed
from gateway.ledger.redis.keys import escaped
from gateway.ledger.redis.numbering import Numbers
from gateway.ledger.store import GenerationQuery
from gateway.ledger.tally import Group

_AT_ONCE = 2000
"""How many scores and members a list is given by one command: Lua hands on some thousand arguments
at most."""

FLAGGED = "flagged"


class Lists:
    """What each list is given, and what generations go by at their providers."""

    def __init__(self, numbers: Numbers) -> None:
        self.upstream: list[tuple[int, str]] = []
        self._numbers = numbers
        self._end = numbers.ends.of_generations
        self._lists: dict[int, list[int | str]] = {}

    def keep(self, group: Group) -> None:
        """Generations, each on all the lists that it belongs on, and what leads to these."""
        names, tenant = self._numbers.names, group.tenant
        model, provider, _ = group.row
        newest = self._list(names.newest(tenant), self._end)
        served = self._list(names.served(tenant, model, provider), self._end)
        upstreams, users = names.upstreams(tenant), names.newest_of_users(tenant)
        latest = ""
        for one in group.generations:
            moment, own_id = moment_of(one), one.id
            newest.append(moment)
            newest.append(own_id)
            served.append(moment)
            served.append(own_id)
            latest = max(latest, moment)
            if upstream_id := one.upstream_id:
                key = self._numbers.of(upstreams + escaped(upstream_id))
                self.upstream.append((key, moment + " " + own_id))
            if (user := one.user) is not None:
                own = self._list(users + escaped(user), self._end)
                own.append(moment)
                own.append(own_id)
            for kind in kinds_of(one):
                self._list(names.unusual(tenant, kind), self._end).extend((moment, own_id))
        pairs = self._list(names.pairs(tenant), self._end)
        pairs.extend((latest, keys.joined(model, provider)))
        tenants = self._list(names.tenants, self._numbers.ends.of_registers)
        tenants.extend((latest, tenant))

    def note(self, period: str, tenant: str) -> None:
        """That something is kept of an hour, a day or a month."""
        periods = self._list(self._numbers.names.periods, self._numbers.ends.of_registers)
        periods.extend((str(keys.last_day(period)), keys.joined(period, tenant)))

    def listed(self) -> list[Listed]:
        """As a batch has them."""
        return [part for listed in self._lists.values() for part in _parts(listed)]

    def _list(self, key: str, end: int) -> list[int | str]:
        number = self._numbers.expiring(key, end)
        listed = self._lists.get(number)
        if listed is None:
            listed = self._lists[number] = [number]
        return listed


def moment_of(one: Generation) -> str:
    """As text that is ordered as moments are."""
    return str(one.created_at).zfill(16)


def kinds_of(one: Generation) -> list[str]:
    """What is unusual about a generation: each has a short list, so that trouble is soon found."""
    kinds: list[str] = []
    if one.status != 200:
        kinds.append(str(one.status))
    if one.outcome != "ok":
        kinds.append(one.outcome)
    if one.flags:
        kinds.append(FLAGGED)
    return kinds


def kind_of(query: GenerationQuery) -> str | None:
    """The one short list that all that matches is on; None when there is none."""
    status = query.status
    if status is not None and status.isdecimal():
        status = None if int(status) == 200 else str(int(status))
    if status not in (None, "ok"):
        return status
    return FLAGGED if query.flagged else None


def _parts(listed: list[int | str]) -> Iterator[Listed]:
    if len(listed) <= _AT_ONCE:
        yield listed
        return
    for start in range(1, len(listed), _AT_ONCE):
        yield [listed[0], *listed[start : start + _AT_ONCE]]
