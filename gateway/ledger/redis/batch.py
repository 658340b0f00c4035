"""What `apply.lua` is given: the records of a shard, with each key they touch under a number."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gateway.generation import Generation, Record
from gateway.ledger.months import day_of_month, month_of
from gateway.ledger.redis import keys
from gateway.ledger.redis.keys import Keys, Shards
from gateway.ledger.store import Counts

_HOUR = 3_600_000_000


class Writer(msgspec.Struct, frozen=True):
    """How far the batch goes in a writer's journal, and the last day it counts on."""

    name: str
    sequence: int
    day: int


class Period(msgspec.Struct, frozen=True, omit_defaults=True):
    """The keys all users of a tenant share in an hour, a day or a month."""

    name: str
    last_day: int
    boards: Mapping[str, int] = {}
    totals: int = 0
    spread: int = 0


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record. `counts` leaves out zeros; `ranks` is what to add to the boards of its day.

    `hour`, `day` and `month` are places in the batch's own lists, counted from 1 as Lua does.
    `row` and `hour_row` are what its counters' fields begin with, `pair` names its model and
    provider.
    """

    writer: str
    sequence: int
    id: str
    tenant: str
    user: str
    moment: str
    day_of_month: int
    row: str
    hour_row: str
    pair: str
    counts: Mapping[str, str]
    ranks: Mapping[str, str]
    hour: int
    day: int
    month: int
    generation: int
    pairs: int
    lists: Sequence[int]
    user_day: int
    user_month: int
    upstream: int | None = None


class Gone(msgspec.Struct, frozen=True, omit_defaults=True):
    """An end user to take out of one period: the key of what is `kept` of it there, and the boards,
    a month's spread, or the hash of a day's erased users, as that period has them."""

    user: str
    kept: int
    boards: Sequence[int]
    erased: int | None = None
    spread: int | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of a script call's first argument.

    `retention`: the first days that are not cut, for the register of that name.
    """

    writers: Sequence[Writer] = ()
    hours: Sequence[Period] = ()
    days: Sequence[Period] = ()
    months: Sequence[Period] = ()
    entries: Sequence[Entry] = ()
    gone: Sequence[Gone] = ()
    retention: Mapping[str, int] = {}


class Call(msgspec.Struct, frozen=True):
    """A call of the script: its keys, and its arguments."""

    keys: Sequence[str]
    args: Sequence[bytes]


def calls(records: Sequence[Record], shards: Shards) -> list[Call]:
    """One call a shard, also for shards without a record in the batch: their writers move too.

    So a writer's lowest position on any shard is one up to which all of them have everything.
    """
    writers = _writers(records)
    parts: dict[Keys, list[Record]] = {names: [] for names in shards.all}
    for record in records:
        parts[shards.of(record.generation.tenant, record.generation.user)].append(record)
    return [_call(names, part, writers) for names, part in parts.items()]


def forgetting(names: Keys, complete_from: int, activity_from: int) -> Call:
    """A call that counts nothing: it notes what is cut, and forgets writers before it."""
    retention = {"complete_from": complete_from, "activity_from": activity_from}
    return _finished(_Numbers(names), Batch(retention=retention), ())


def erasing(names: Keys, tenant: str, user: str, periods: Sequence[str]) -> Call:
    """A call that counts nothing: it takes a user out of days and months."""
    numbers = _Numbers(names)
    gone = [_gone(numbers, tenant, user, period) for period in periods]
    return _finished(numbers, Batch(gone=gone), ())


def _gone(numbers: "_Numbers", tenant: str, user: str, period: str) -> Gone:
    number, names, is_day = numbers.of, numbers.names, period[0] == "d"
    orders = keys.DAY_ORDERS if is_day else keys.MONTH_ORDERS
    return Gone(
        user=user,
        kept=number(names.user(period, tenant, user)),
        boards=[number(names.board(period, tenant, order)) for order in orders],
        erased=number(names.erased(period, tenant)) if is_day else None,
        spread=None if is_day else number(names.spread(period, tenant)),
    )


def _call(names: Keys, records: Sequence[Record], writers: Sequence[Writer]) -> Call:
    numbers = _Numbers(names)
    hours = _Periods(numbers, ())
    days = _Periods(numbers, keys.DAY_ORDERS)
    months = _Periods(numbers, keys.MONTH_ORDERS)
    entries = [_entry(record, numbers, hours, days, months) for record in records]
    batch = Batch(
        writers=writers,
        hours=hours.listed,
        days=days.listed,
        months=months.listed,
        entries=entries,
    )
    return _finished(numbers, batch, [msgspec.json.encode(each.generation) for each in records])


def _finished(numbers: "_Numbers", batch: Batch, kept: Sequence[bytes]) -> Call:
    return Call(list(numbers.given), [msgspec.json.encode(batch), *kept])


def _writers(records: Iterable[Record]) -> list[Writer]:
    met: dict[str, Writer] = {}
    for record in records:
        last = met.get(record.writer, Writer(record.writer, 0, 0))
        met[record.writer] = Writer(
            record.writer,
            max(last.sequence, record.sequence),
            max(last.day, record.generation.day),
        )
    return list(met.values())


class _Numbers:
    """Numbers keys as they are met, from 1, after the six that every call has."""

    def __init__(self, names: Keys) -> None:
        self.names = names
        self.given: dict[str, int] = {}
        for register in (
            names.writers,
            names.writer_days,
            names.tenants,
            names.periods,
            names.retention,
            names.hold,
        ):
            self.of(register)

    def of(self, key: str) -> int:
        return self.given.setdefault(key, len(self.given) + 1)


class _Periods:
    """The periods of one kind that a batch touches, each once."""

    def __init__(self, numbers: _Numbers, orders: Sequence[str]) -> None:
        self.listed: list[Period] = []
        self._numbers = numbers
        self._orders = orders
        self._places: dict[tuple[str, str], int] = {}

    def place(self, period: str, tenant: str) -> int:
        """Where in `listed` it stands, counted from 1."""
        if (period, tenant) not in self._places:
            self.listed.append(self._described(period, tenant))
            self._places[period, tenant] = len(self.listed)
        return self._places[period, tenant]

    def _described(self, period: str, tenant: str) -> Period:
        number, names = self._numbers.of, self._numbers.names
        return Period(
            name=keys.joined(period, tenant),
            last_day=keys.last_day(period),
            boards={order: number(names.board(period, tenant, order)) for order in self._orders},
            totals=number(names.totals(period, tenant)),
            spread=number(names.spread(period, tenant)),
        )


def _entry(
    record: Record, numbers: _Numbers, hours: _Periods, days: _Periods, months: _Periods
) -> Entry:
    one, number, names = record.generation, numbers.of, numbers.names
    day, month, user = keys.day(one.day), keys.month(month_of(one.day)), one.user or ""
    counts = Counts.of(one)
    upstream = names.upstream(one.tenant, one.upstream_id) if one.upstream_id else None
    return Entry(
        writer=record.writer,
        sequence=record.sequence,
        id=one.id,
        tenant=one.tenant,
        user=user,
        moment=f"{one.created_at:016}",
        day_of_month=day_of_month(one.day),
        row=keys.joined(one.model or "", one.provider or "", one.route or "", ""),
        hour_row=keys.joined(one.model or "", one.provider or "", "", ""),
        pair=keys.joined(one.model or "", one.provider or ""),
        counts=_texts(msgspec.structs.asdict(counts)),
        ranks=_texts({order: -value for order, value in _values(counts).items()}),
        hour=hours.place(keys.hour(one.created_at // _HOUR), one.tenant),
        day=days.place(day, one.tenant),
        month=months.place(month, one.tenant),
        generation=number(names.generation(one.id)),
        pairs=number(names.pairs(one.tenant)),
        lists=[number(key) for key in _lists(one, names)],
        user_day=number(names.user(day, one.tenant, user)),
        user_month=number(names.user(month, one.tenant, user)),
        upstream=number(upstream) if upstream else None,
    )


def _lists(one: Generation, names: Keys) -> list[str]:
    served = names.served(one.tenant, one.model or "", one.provider or "")
    lists = [names.newest(one.tenant), served]
    if one.user is not None:
        lists.append(names.newest_of_user(one.tenant, one.user))
    if is_unusual(one.status, one.outcome, bool(one.flags)):
        lists.append(names.unusual(one.tenant))
    return lists


def is_unusual(status: int, outcome: str, flagged: bool) -> bool:
    """Whether it belongs on the short list that makes the search for trouble quick."""
    return status != 200 or outcome != "ok" or flagged


def _values(counts: Counts) -> dict[str, int]:
    return {
        "requests": counts.requests,
        "cost": counts.cost,
        "tokens": counts.prompt_tokens + counts.completion_tokens,
        "errors": counts.errors,
        "flags": counts.flags,
    }


def _texts(numbers: Mapping[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items() if number}
