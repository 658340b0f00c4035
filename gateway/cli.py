"""The `hearth` command: which command it is, and what becomes of its errors."""

import argparse
import logging
import sys
from collections.abc import Sequence

from gateway import __version__
from gateway.commands import check, demo, export, ledger, mock_provider, route, serve
from gateway.commands.arguments import UsageError
from gateway.configfile import ConfigError
from gateway.ledger.store import StoreUnavailable

COMMANDS = (serve, demo, check, route, mock_provider, export, ledger)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: 0 is success, 1 a finding or failure, 2 wrong arguments or configuration."""
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form)
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (ConfigError, UsageError) as error:
        print(error, file=sys.stderr)  # noqa: T201  # a command's own output
        return 2
    except (OSError, StoreUnavailable) as error:
        print(f"hearth: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hearth", description="A gateway in front of LLM providers that keeps users at home."
    )
    parser.add_argument("--version", action="version", version=f"hearth {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return parser
