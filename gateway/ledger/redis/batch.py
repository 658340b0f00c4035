"""What the script is given. Keys are referred to by number, which is their index in KEYS, and
generations by their index in the batch; both count from 1, as Lua does."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from gateway.ledger.redis.key_table import KeyTable

Row = tuple[str, Sequence[int | str]]
"""Its name, and what is added to each of COUNTERS; as text where it is very large."""


class Writer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One writer's part of a batch: the `last` sequence, the last `day` it counts on, and the
    `first` sequence that is counted on this shard, None when none is."""

    name: str
    last: int
    day: int
    first: int | None = None


class Totals(msgspec.Struct, frozen=True):
    """Rows to add to the hash of a tenant's hour or day."""

    key: int
    rows: Sequence[Row]


class Day(msgspec.Struct, frozen=True):
    """What is added to a tenant's day, and so to its month, user by user.

    `date`: the day of the month. `rows`: the names of the rows that occur; `row_numbers`: the key
    that maps them to numbers. `boards`, `month_boards`, `spread`: keys that the users share.
    `user_keys`: the key before the users' own, three for each: the day, the month, and the list of
    generations; `expire_at`: when those three expire.

    `updates`: what is added, one user after the other, flat since tables are expensive in Lua. For
    each user: the number of rows; for each row its index in `rows` and an increment for each of
    COUNTERS; the number of generations; their indexes.
    """

    date: int
    row_numbers: int
    rows: Sequence[str]
    boards: Sequence[int]
    month_boards: Sequence[int]
    spread: int
    user_keys: int
    expire_at: Sequence[str]
    users: Sequence[str]
    updates: Sequence[int | str]


class Removal(msgspec.Struct, frozen=True, omit_defaults=True):
    """An end user to remove from one period.

    Keys: `newest`, the user's list of generations, which must be empty; `kept`, the user's hash of
    the period; `boards`; `erased`, the hash of a day's erased users; `spread`, that of a month.
    """

    user: str
    newest: int
    kept: int
    boards: Sequence[int]
    erased: int | None = None
    spread: int | None = None


class ScriptBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The first argument of a script call.

    `ids`, `timestamps`: of the generations; their keys follow key number `generation_keys`.
    `referred`: indexes of those that a provider gave an id; the keys of these ids follow key number
    `reference_keys`. `lists`: the key of each list, then the indexes of generations to add to it.
    `registers`: the key of each sorted set, then scores and members by turns; scores only rise.
    `oldest`: the first day that is counted on, unset when none is. `retention`: fields of the hash
    of that name, and numbers, which only rise there. `kept_until`: when generations expire.
    `expiries`: a time, then the keys that expire then. Times are seconds since the epoch, as text
    where many keys expire then: Redis takes a number from a script much slower.
    """

    writers: Sequence[Writer] = ()
    ids: Sequence[str] = ()
    timestamps: Sequence[str] = ()
    generation_keys: int = 0
    reference_keys: int = 0
    referred: Sequence[int] = ()
    lists: Sequence[Sequence[int]] = ()
    registers: Sequence[Sequence[int | str]] = ()
    totals: Sequence[Totals] = ()
    days: Sequence[Day] = ()
    removals: Sequence[Removal] = ()
    oldest: int | UnsetType = UNSET
    retention: Mapping[str, int] = {}
    kept_until: str = ""
    expiries: Sequence[Sequence[int]] = ()


class ScriptCall(msgspec.Struct, frozen=True):
    """A call of the script: its keys, and its arguments."""

    keys: Sequence[str]
    args: Sequence[bytes]


def call_of(table: KeyTable, batch: ScriptBatch, records: Sequence[bytes] = ()) -> ScriptCall:
    """The call for a batch without its `expiries`, which the table has."""
    batch = msgspec.structs.replace(batch, expiries=table.expiries)
    return ScriptCall(table.keys, [msgspec.json.encode(batch), *records])
