"""The command: it asks a running gateway, else answers from the configuration alone."""

import argparse
import asyncio
import os
import re

from gateway.api.moves import Change
from gateway.api.user_route import UserRoute
from gateway.commands.arguments import Commands, UsageError, add_config, end_user, read_config
from gateway.commands.output import tell
from gateway.commands.route.configured import configured
from gateway.commands.route.live import KEY_VARIABLE, NoAnswer, address_of, ask, key_for
from gateway.commands.route.report import Found, report
from gateway.config import Config
from gateway.keys import OPEN
from gateway.routing.router import Router


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("route", help="where a user goes, and why")
    parser.add_argument("user", type=end_user, metavar="USER", help="the end user's id")
    add_config(parser)
    parser.add_argument("--key", metavar="NAME", help="the key the user belongs to")
    parser.add_argument("--model", help="the model asked for (default: none in particular)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="PROVIDER", help="as if it were gone"
    )
    parser.add_argument("--joining", metavar="NAME", help="as if a provider of this name joined")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--gateway",
        type=_url,
        metavar="URL",
        help="the running gateway to ask (default: as in the configuration), with the key "
        f"in ${KEY_VARIABLE} (default: one from the configuration)",
    )
    source.add_argument("--offline", action="store_true", help="ask the configuration alone")
    parser.set_defaults(run=run)


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+/?", text):
        raise argparse.ArgumentTypeError("Expected the gateway's http:// or https:// address")
    return text.rstrip("/")


def run(arguments: argparse.Namespace) -> int:
    """Print the choices in order; 1 when no provider is left."""
    config = read_config(arguments)
    tenant = _tenant(config, arguments.key)
    _check_names(config, arguments.without, arguments.joining)
    asked = UserRoute(key=tenant, user=arguments.user, model=arguments.model)
    away = frozenset(arguments.without)
    change = _change(config, asked, away, arguments.joining)
    found = asyncio.run(_find(config, asked, change, arguments))
    return report(config, found, away)


async def _find(
    config: Config, asked: UserRoute, change: Change | None, arguments: argparse.Namespace
) -> Found:
    if not arguments.offline:
        try:
            return await _ask(config, asked, change, arguments.gateway)
        except NoAnswer as silence:
            tell(f"hearth route: from the configuration alone, as {silence}")
    return Found(await configured(config, asked, change))


async def _ask(config: Config, asked: UserRoute, change: Change | None, given: str | None) -> Found:
    """Ask the gateway at the given address, else at the one that the configuration has."""
    origin = given or address_of(config.server)
    key = key_for(config, asked.key or OPEN, os.environ)
    found = await ask(origin, asked, change, key, None if given else config.server.tls)
    return Found(found, origin)


def _change(
    config: Config, asked: UserRoute, away: frozenset[str], joining: str | None
) -> Change | None:
    """The change that was asked about, if it leaves anybody, and there is a home to move from."""
    ring = Router(config).pool(asked.model).ring
    change = Change(leaving=tuple(sorted(away & set(ring.names))), joining=joining)
    is_none = not change.leaving and joining is None
    return None if is_none or not ring.names or not change.applied_to(ring).names else change


def _tenant(config: Config, key: str | None) -> str:
    """The tenant the user belongs to: the only client key's, unless `--key` says which."""
    names = config.client_names or [OPEN]
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
