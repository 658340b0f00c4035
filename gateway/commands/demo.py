"""`hearth demo`: a gateway with mock providers and sample users."""

import argparse

import uvloop

from gateway.commands.arguments import Commands, port
from gateway.commands.output import console
from gateway.commands.stopping import until_signal
from gateway.demo.run import TURNS, run_demo


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("demo", help="gateway, mock providers and sample users")
    parser.add_argument("--port", type=port, default=8080, help="default: 8080")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C."""
    uvloop.run(until_signal(run_demo(arguments.port, TURNS, console())))
    return 0
