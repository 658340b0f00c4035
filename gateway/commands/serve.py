"""`hearth serve`: run the gateway."""

import argparse

import msgspec
import uvloop

from gateway.commands.arguments import Commands, UsageError, add_config, console, read_config
from gateway.config import Config
from gateway.configfile import is_loopback
from gateway.server import serve


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("serve", help="run the gateway")
    add_config(parser)
    parser.add_argument("--host", help="overrides server.host")
    parser.add_argument("--port", type=int, help="overrides server.port")
    parser.add_argument("--workers", type=int, help="overrides server.workers")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    config = _overridden(read_config(arguments), arguments)
    uvloop.run(serve(config, lambda url: console().print(f"Hearth listens on {url}")))
    return 0


def _overridden(config: Config, arguments: argparse.Namespace) -> Config:
    names = ("host", "port", "workers")
    given = {name: getattr(arguments, name) for name in names}
    changes = {name: value for name, value in given.items() if value is not None}
    fields = {**msgspec.structs.asdict(config.server), **changes}
    try:
        server = msgspec.convert(fields, type(config.server))
    except msgspec.ValidationError as error:
        raise UsageError(f"hearth serve: {error}") from error
    if not config.keys and not is_loopback(server.host):
        raise UsageError(
            f"hearth serve: --host {server.host} needs `keys` in the configuration: without them "
            "anyone who reaches this address could spend the providers' credit"
        )
    return msgspec.structs.replace(config, server=server)
