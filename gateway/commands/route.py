"""`hearth route`: where a user goes, first to last choice, without any server."""

import argparse

from rich.table import Table

from gateway.commands.arguments import Commands, UsageError, add_config, console, read_config
from gateway.config import Config
from gateway.keys import OPEN
from gateway.routing.pool import Pool, Router


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("route", help="where a user goes, and why")
    parser.add_argument("user", metavar="USER", help="the end user's id")
    add_config(parser)
    parser.add_argument("--key", metavar="NAME", help="the key the user belongs to")
    parser.add_argument("--model", help="the model asked for (default: none in particular)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="PROVIDER", help="as if it were away"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the choices in order; 1 when no provider is left."""
    config = read_config(arguments)
    tenant = _tenant(config, arguments.key)
    _check_names(config, arguments.without)
    pool = Router(config).pool(arguments.model)
    order = list(pool.ring.walk(f"{tenant}\0{arguments.user}".encode())) if pool else []
    left = [name for name in order if name not in arguments.without]
    if not left:
        console().print("No provider is left for this user")
        return 1
    console().print(_table(pool, order, arguments.without))
    console().print(f"{arguments.user} ({tenant}) goes to {left[0]}")
    return 0


def _tenant(config: Config, key: str | None) -> str:
    """The tenant the user belongs to: the only client key's, unless `--key` says which."""
    names = [each.name for each in config.keys if each.role == "client"] or [OPEN]
    if key is None and len(names) > 1:
        raise UsageError(f"hearth route: say which key with --key: {', '.join(names)}")
    if key is not None and key not in names:
        raise UsageError(f"hearth route: no client key is called {key}: {', '.join(names)}")
    return key or names[0]


def _check_names(config: Config, without: list[str]) -> None:
    known = {provider.name for provider in config.providers}
    for name in without:
        if name not in known:
            raise UsageError(f"hearth route: no provider is called {name}")


def _table(pool: Pool, order: list[str], without: list[str]) -> Table:
    table = Table("choice", "provider", "share of users", "why", box=None)
    shares = pool.ring.shares()
    reasons = ["first point of the ring clockwise of the user's hash"]
    reasons += ["next on the ring when those above are away"] * (len(order) - 1)
    for choice, (name, reason) in enumerate(zip(order, reasons, strict=True), 1):
        why = "left out by --without" if name in without else reason
        table.add_row(str(choice), name, f"{shares[name]:.1%}", why)
    return table
