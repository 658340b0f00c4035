"""What `hearth route` prints."""

from collections.abc import Collection, Iterator

import msgspec
from rich.table import Table

from gateway.api.moves import Moves
from gateway.api.user_route import Choice, UserRoute
from gateway.commands.output import console
from gateway.config import Config
from gateway.routing.obstacle import Obstacle

Row = tuple[str, str, str, str, str]
"""Choice, provider, share of all users, calls in flight of how many, and why."""


class Found(msgspec.Struct, frozen=True):
    """Where a user goes; `origin` is the gateway that says so, None: the configuration does."""

    user_route: UserRoute
    origin: str | None = None


def report(config: Config, found: Found, away: Collection[str]) -> int:
    """Print it, as if the providers in `away` were; 1 when none is left."""
    out, where = console(), found.user_route
    if where.route == "unkeyed":
        out.print("Users have no home: `sticky.key` does not name `user`")
        return 0
    rows = [*_choices(where, away), *_off_ring(config, where)]
    out.print(_table(rows, is_live=found.origin is not None))
    left = [each for each in where.choices if each.provider not in away]
    chosen = min(left, key=_trouble, default=None)
    if chosen is None or chosen.obstacle == "full":
        out.print(f"No provider is left for {where.user} ({where.key})")
        return 1
    says = f", says {found.origin}" if found.origin else ""
    out.print(f"{where.user} ({where.key}) goes to {chosen.provider}{says}")
    if where.moves is not None:
        for line in _moves(where, where.moves):
            out.print(line)
    return 0


def _trouble(choice: Choice) -> int:
    """The lightest first, as the pool chooses; the first choice among equals."""
    return Obstacle[(choice.obstacle or "nothing").upper()]


def _choices(where: UserRoute, away: Collection[str]) -> Iterator[Row]:
    number = 0
    for each in where.choices:
        share, calls = f"{each.share:.1%}", f"{each.in_flight} of {each.max_in_flight}"
        if each.provider in away:
            yield "-", each.provider, share, calls, "left out by --without"
        else:
            number += 1
            yield str(number), each.provider, share, calls, each.why


def _off_ring(config: Config, where: UserRoute) -> Iterator[Row]:
    """The configured providers that are not on this user's ring."""
    chosen = {each.provider for each in where.choices}
    for provider in config.providers:
        if provider.name not in chosen:
            drained = provider.serves(where.model)
            why = "drained: its weight is 0" if drained else f"does not serve {where.model}"
            yield "-", provider.name, "", "", why


def _table(rows: list[Row], is_live: bool) -> Table:
    columns = ("choice", "provider", "share", "calls", "why")
    shown = [place for place, name in enumerate(columns) if is_live or name != "calls"]
    table = Table(*(columns[place] for place in shown), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(row[place] for place in shown))
    return table


def _moves(where: UserRoute, moves: Moves) -> Iterator[str]:
    """What the change asked about would move, each from one home to another."""
    tokens = "unknown" if moves.tokens is None else f"{moves.tokens:.1%}"
    yield f"{moves.users:.1%} of all users would move; of the tokens since yesterday: {tokens}"
    for flow in moves.between:
        yield f"  {flow.users:.1%} from {flow.source} to {flow.to}"
    if where.choices and moves.home != where.choices[0].provider:
        yield f"{where.user} would live at {moves.home}"
