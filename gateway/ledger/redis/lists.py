"""The lists that a batch's generations, models, tenants and periods are put on."""

from typing import Final

from gateway.ledger.parcel import Parcel
from gateway.ledger.queries import GenerationQuery
from gateway.ledger.redis import keys
from gateway.ledger.redis.numbering import Numbers
from gateway.ledger.tally import Group

FLAGGED = "flagged"

_DIGITS: Final = 16
"""Of microseconds since 1970, from 2001 to 2286."""


class Lists:
    """Generations in the order they are kept, what leads to them, and what each list is given."""

    def __init__(self, numbers: Numbers) -> None:
        self.ids: list[str] = []
        self.moments: list[str] = []
        self.keys: list[str] = []
        self.references: list[str] = []
        self.referred: list[int] = []
        self._numbers = numbers
        self._end = numbers.ends.of_generations
        self._lists: dict[int, list[int]] = {}
        self._registers: dict[int, list[int | str]] = {}

    def keep(self, group: Group) -> None:
        """Generations, each on all the lists that it belongs on but its user's."""
        names, tenant = self._numbers.names, group.tenant
        model, provider, _ = group.row
        before, upstreams = len(self.ids), names.upstreams(tenant)
        for one in group.parcels:
            self._keep(one, tenant, upstreams)
        places = range(before + 1, len(self.ids) + 1)
        self._list(names.newest(tenant)).extend(places)
        self._list(names.served(tenant, model, provider)).extend(places)
        latest = max(self.moments[before:])
        self._note(names.pairs(tenant), self._end, latest, keys.joined(model, provider))
        self._note(names.tenants, self._numbers.ends.of_registers, latest, tenant)

    def note(self, period: str, tenant: str) -> None:
        """That something is kept of an hour, a day or a month."""
        numbers, last = self._numbers, str(keys.last_day(period))
        member = keys.joined(period, tenant)
        self._note(numbers.names.periods, numbers.ends.of_registers, last, member)

    def listed(self) -> list[list[int]]:
        """As a batch has them."""
        return [[number, *places] for number, places in self._lists.items()]

    def registered(self) -> list[list[int | str]]:
        """As a batch has them."""
        return list(self._registers.values())

    def _keep(self, one: Parcel, tenant: str, upstreams: str) -> None:
        names, own_id = self._numbers.names, one.id
        self.ids.append(own_id)
        self.moments.append(moment_of(one))
        self.keys.append(names.generation(own_id))
        if upstream_id := one.upstream_id:
            self.references.append(upstreams + keys.escaped(upstream_id))
            self.referred.append(len(self.ids))
        for kind in kinds_of(one.status, one.outcome, one.is_flagged):
            self._list(names.unusual(tenant, kind)).append(len(self.ids))

    def _list(self, key: str) -> list[int]:
        return self._lists.setdefault(self._numbers.expiring(key, self._end), [])

    def _note(self, key: str, end: int, score: str, member: str) -> None:
        number = self._numbers.expiring(key, end)
        self._registers.setdefault(number, [number]).extend((score, member))


def moment_of(one: Parcel) -> str:
    """As text that is ordered as moments are."""
    moment = str(one.created_at)
    return moment if len(moment) == _DIGITS else moment.zfill(_DIGITS)


def kinds_of(status: int, outcome: str, is_flagged: bool) -> list[str]:
    """What is unusual about a generation: each has a short list, so that trouble is soon found."""
    kinds: list[str] = []
    if status != 200:
        kinds.append(str(status))
    if outcome != "ok":
        kinds.append(outcome)
    if is_flagged:
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
