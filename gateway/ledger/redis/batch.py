"""What `apply.lua` is given, with each key it may touch under a number."""

from collections.abc import Mapping, Sequence

import msgspec

from gateway.ledger.redis.numbering import Numbers

Listed = Sequence[int | str]
"""The number of a list's key, then scores and members in turns."""

Row = Sequence[int | str]
"""The name of a row, then what is added to each of COUNTERS; as text where it is very large."""


class Writer(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a batch goes in a writer's journal, the last day it counts on, and where what it
    counts begins, if it counts anything of it on this shard."""

    name: str
    last: int
    day: int
    first: int | None = None


class User(msgspec.Struct, frozen=True, array_like=True):
    """What is new of an end user on a day: the keys of its `day` and its `month`, the moments of
    the first and the last call, and rows of counters. An array, as there are very many."""

    name: str
    day: int
    month: int
    first: int | str
    last: int | str
    rows: Sequence[Row]


class Totals(msgspec.Struct, frozen=True):
    """Rows that are added to the hash of a tenant's hour or day."""

    key: int
    rows: Sequence[Row]


class Day(msgspec.Struct, frozen=True):
    """A tenant's day, the `date` of the month: the keys that its users share there and in the
    month, and the users. `rows` is where their rows have numbers."""

    date: int
    rows: int
    boards: Mapping[str, int]
    month_boards: Mapping[str, int]
    spread: int
    users: Sequence[User]


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

    `generations`: their keys. `upstream`: keys, and the text that refers to a generation. In
    `lists` scores only ever rise. `kept_until`, `expiries`: seconds since the epoch, the latter
    with keys after them. `retention`: the first days that are not cut, for the register of that
    name.
    """

    writers: Sequence[Writer] = ()
    generations: Sequence[int] = ()
    upstream: Sequence[tuple[int, str]] = ()
    lists: Sequence[Listed] = ()
    totals: Sequence[Totals] = ()
    days: Sequence[Day] = ()
    gone: Sequence[Gone] = ()
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
