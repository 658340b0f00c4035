"""What `apply.lua` is given, with each key it may touch under a number."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from gateway.ledger.redis.numbering import Numbers

Row = tuple[str, Sequence[int | str]]
"""Its name, and what is added to each of COUNTERS; as text where it is very large."""


class Writer(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a batch goes in a writer's journal, the last day it counts on, and where what it
    counts begins, if it counts anything of it on this shard."""

    name: str
    last: int
    day: int
    first: int | None = None


class Totals(msgspec.Struct, frozen=True):
    """Rows that are added to the hash of a tenant's hour or day."""

    key: int
    rows: Sequence[Row]


class Day(msgspec.Struct, frozen=True):
    """A tenant's day, the `date` of the month: the keys that its users share there and in the
    month, and the users. `numbers` is where their rows have numbers, `rows` are the names of these.
    After key number `keys` come those of the users, three each, which may go at `ends`: the day,
    the month, and the list of generations. `news` are of one user after the other, flat since
    tables are dear in Lua: how many rows, and each row as the place of its name and what is added
    to each of COUNTERS; how many generations, and their places."""

    date: int
    numbers: int
    rows: Sequence[str]
    boards: Sequence[int]
    month_boards: Sequence[int]
    spread: int
    keys: int
    ends: Sequence[int]
    users: Sequence[str]
    news: Sequence[int | str]


class Gone(msgspec.Struct, frozen=True, omit_defaults=True):
    """An end user to take out of one period: the keys of the `newest` list, which must be empty by
    now, and of what is `kept` there, and the boards, a month's spread, or the hash of a day's
    erased users, as that period has them."""

    user: str
    newest: int
    kept: int
    boards: Sequence[int]
    erased: int | None = None
    spread: int | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of a script call's first argument.

    `ids` and `moments` are those of its generations, which are spoken of by their places there,
    from 1. Their keys come after key number `generations`; after number `references` come keys that
    lead to those at the places `referred`, by their providers' ids. `lists`: the number of a list's
    key, then places. `registers`: the same, then scores and members in turns; scores only ever
    rise. `kept_until`, `expiries`: seconds since the epoch, the latter with keys after them.
    `oldest`: the first day that it counts on, if it counts anything. `retention`: the first days
    that are not cut, for the register of that name.
    """

    writers: Sequence[Writer] = ()
    ids: Sequence[str] = ()
    moments: Sequence[str] = ()
    generations: int = 0
    references: int = 0
    referred: Sequence[int] = ()
    lists: Sequence[Sequence[int]] = ()
    registers: Sequence[Sequence[int | str]] = ()
    totals: Sequence[Totals] = ()
    days: Sequence[Day] = ()
    gone: Sequence[Gone] = ()
    oldest: int | UnsetType = UNSET
    retention: Mapping[str, int] = {}
    kept_until: int = 0
    expiries: Sequence[Sequence[int]] = ()


class Call(msgspec.Struct, frozen=True):
    """A call of the script: its keys, and its arguments."""

    keys: Sequence[str]
    args: Sequence[bytes]


def called(numbers: Numbers, batch: Batch, records: Sequence[bytes] = ()) -> Call:
    """The call of a batch that has all but its expiries."""
    batch = msgspec.structs.replace(batch, expiries=numbers.expiries)
    return Call(numbers.keys, [msgspec.json.encode(batch), *records])
