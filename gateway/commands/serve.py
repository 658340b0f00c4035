"""`hearth serve`: run the gateway."""

import argparse
import resource
import socket
from contextlib import suppress

import msgspec
import uvloop

from gateway.commands.arguments import Commands, UsageError, add_config, port, read_config
from gateway.commands.output import console
from gateway.config import MAX_WORKERS, Config
from gateway.configfile import ConfigError
from gateway.processes.garbage import collect_seldom
from gateway.processes.heap import share_heap
from gateway.processes.reload import ConfigRefused, Source
from gateway.processes.supervisor import supervise
from gateway.sockets import is_loopback


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
    source = Source(arguments.config, lambda: _reconfigured(arguments))
    config = _configured(arguments)
    collect_seldom()
    share_heap()
    _allow_all_files()
    try:
        uvloop.run(supervise(config, source, _announce))
    except socket.gaierror as error:
        raise UsageError(f"hearth serve: {config.server.host}: {error.strerror}") from error
    return 0


def _allow_all_files() -> None:
    """Have as many open as this process may ask for; a call takes two, and 1,024 are usual."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError):  # as macOS has a lower limit beside this one
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _announce(url: str) -> None:
    console().print(f"Hearth listens on {url}")


def _configured(arguments: argparse.Namespace) -> Config:
    config = _overridden(read_config(arguments), arguments)
    _check(config)
    return config


def _reconfigured(arguments: argparse.Namespace) -> Config:
    try:
        return _configured(arguments)
    except (ConfigError, UsageError) as error:
        raise ConfigRefused(str(error)) from error


def _overridden(config: Config, arguments: argparse.Namespace) -> Config:
    given = {name: getattr(arguments, name) for name in ("host", "port", "workers")}
    changes = {name: value for name, value in given.items() if value is not None}
    server = msgspec.structs.replace(config.server, **changes)
    return msgspec.structs.replace(config, server=server)


def _check(config: Config) -> None:
    """What options can get wrong, and what they can break in a valid configuration."""
    server = config.server
    if not 1 <= server.workers <= MAX_WORKERS:
        raise UsageError(
            f"hearth serve: --workers {server.workers}: Expected a number from 1 to {MAX_WORKERS}"
        )
    if not config.keys and not is_loopback(server.host):
        raise UsageError(
            f"hearth serve: --host {server.host} needs `keys` in the configuration: without them "
            "anyone who reaches this address could spend the providers' credit"
        )
