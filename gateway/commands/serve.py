"""`hearth serve`: run the gateway."""

import argparse
import socket
import ssl

import msgspec
import uvloop

from gateway.commands.arguments import Commands, UsageError, add_config, console, port, read_config
from gateway.config import Config
from gateway.configfile import is_loopback
from gateway.server import serve


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("serve", help="run the gateway")
    add_config(parser)
    parser.add_argument("--host", help="overrides server.host")
    parser.add_argument("--port", type=port, help="overrides server.port")
    parser.add_argument("--workers", type=int, help="overrides server.workers")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    config = _overridden(read_config(arguments), arguments)
    _check(config)
    try:
        uvloop.run(serve(config, lambda url: console().print(f"Hearth listens on {url}")))
    except socket.gaierror as error:
        raise UsageError(f"hearth serve: {config.server.host}: {error.strerror}") from error
    except ssl.SSLError as error:
        raise UsageError(
            "hearth serve: server.tls: Expected `cert` and `key` to be PEM files that belong "
            f"together: {error.reason}"
        ) from error
    return 0


def _overridden(config: Config, arguments: argparse.Namespace) -> Config:
    given = {name: getattr(arguments, name) for name in ("host", "port", "workers")}
    changes = {name: value for name, value in given.items() if value is not None}
    server = msgspec.structs.replace(config.server, **changes)
    return msgspec.structs.replace(config, server=server)


def _check(config: Config) -> None:
    """What options can get wrong, and what a good configuration may ask for in vain."""
    server = config.server
    if server.workers != 1:
        raise UsageError(
            f"hearth serve: {server.workers} workers: this version runs in one process; "
            "set --workers or server.workers to 1"
        )
    if not config.keys and not is_loopback(server.host):
        raise UsageError(
            f"hearth serve: --host {server.host} needs `keys` in the configuration: without them "
            "anyone who reaches this address could spend the providers' credit"
        )
