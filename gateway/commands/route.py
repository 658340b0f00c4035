"""`hearth route`: where a user goes, first to last choice, without any server."""

import argparse
from collections.abc import Iterator

from rich.table import Table

from gateway.call import Call
from gateway.commands.arguments import (
    Commands,
    UsageError,
    add_config,
    console,
    end_user,
    read_config,
)
from gateway.config import Config
from gateway.endpoint import ENDPOINTS
from gateway.enduser import EndUser
from gateway.keys import OPEN
from gateway.routing.moves import joined_by, moved_users, without
from gateway.routing.pool import Pool, Router

_HOME = "home: first on the ring after the user's hash"

Row = tuple[str, str, str, str]
"""Choice, provider, share of all users, and why."""


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("route", help="where a user goes, and why")
    parser.add_argument("user", type=end_user, metavar="USER", help="the end user's id")
    add_config(parser)
    parser.add_argument("--key", metavar="NAME", help="the key the user belongs to")
    parser.add_argument("--model", help="the model asked for (default: none in particular)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="PROVIDER", help="as if it were away"
    )
    parser.add_argument("--joining", metavar="NAME", help="what a new provider would move")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the choices in order; 1 when no provider is left."""
    config = read_config(arguments)
    tenant = _tenant(config, arguments.key)
    _check_names(config, arguments.without, arguments.joining)
    home = _position(config, tenant, arguments.user)
    if home is None:
        console().print("Users have no home: `sticky.key` does not name `user`")
        return 0
    pool = Router(config).pool(arguments.model)
    order = list(pool.ring.walk(home))
    rows = [*_choices(pool, order, arguments.without), *_strangers(config, arguments.model, order)]
    console().print(_table(rows))
    left = next((name for name in order if name not in arguments.without), None)
    if left is None:
        console().print(f"No provider is left for {arguments.user} ({tenant})")
        return 1
    console().print(f"{arguments.user} ({tenant}) goes to {left}")
    for line in _moves(pool, arguments.without, arguments.joining):
        console().print(line)
    return 0


def _moves(pool: Pool, leaving: list[str], joining: str | None) -> Iterator[str]:
    """What the change asked about would move, each from one home to another."""
    before = after = pool.ring
    for name in leaving:
        after = without(after, name)
    if joining is not None:
        after = joined_by(after, joining, 1)
    if after is before:
        return
    users = moved_users(before, after)
    yield f"{sum(users.values()):.1%} of all users would move:"
    for (old, new), share in sorted(users.items()):
        yield f"  {share:.1%} from {old} to {new}"


def _tenant(config: Config, key: str | None) -> str:
    """The tenant the user belongs to: the only client key's, unless `--key` says which."""
    names = [each.name for each in config.keys if each.role == "client"] or [OPEN]
    if key is None and len(names) > 1:
        raise UsageError(f"hearth route: say which key with --key: {', '.join(names)}")
    if key is not None and key not in names:
        raise UsageError(f"hearth route: no client key is called {key}: {', '.join(names)}")
    return key or names[0]


def _check_names(config: Config, leaving: list[str], joining: str | None) -> None:
    known = [provider.name for provider in config.providers]
    for name in leaving:
        if name not in known:
            raise UsageError(f"hearth route: no provider is called {name}: {', '.join(known)}")
    if joining in known:
        raise UsageError(f"hearth route: a provider is called {joining} already")


def _position(config: Config, tenant: str, user: str) -> bytes | None:
    """The key on the ring of a call that names this user and nothing else."""
    endpoint = ENDPOINTS["chat/completions"]
    call = Call(endpoint=endpoint, tenant=tenant, user=EndUser(user, "user"))
    return call.sticky_key(config.sticky.key)


def _choices(pool: Pool, order: list[str], without: list[str]) -> Iterator[Row]:
    shares = pool.ring.shares()
    left = [name for name in order if name not in without]
    for name, before in zip(order, ["", *order], strict=False):
        why = f"next on the ring after {before}" if before else _HOME
        if name in left:
            yield str(left.index(name) + 1), name, f"{shares[name]:.1%}", why
        else:
            yield "-", name, f"{shares[name]:.1%}", "left out by --without"


def _strangers(config: Config, model: str | None, order: list[str]) -> Iterator[Row]:
    """The providers that are not on this user's ring at all."""
    for provider in config.providers:
        if provider.name not in order:
            drained = provider.serves(model)
            why = "drained: its weight is 0" if drained else f"does not serve {model}"
            yield "-", provider.name, "", why


def _table(rows: list[Row]) -> Table:
    table = Table("choice", "provider", "share", "why", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return table
