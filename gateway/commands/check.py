"""`hearth check`: is this configuration good?"""

import argparse

from gateway.commands.arguments import Commands, add_config, read_config
from gateway.commands.output import console
from gateway.units import counted


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("check", help="validate a configuration")
    add_config(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when it is good; the problems, one a line, are the ConfigError's text."""
    config = read_config(arguments)
    providers, keys = counted(len(config.providers), "provider"), counted(len(config.keys), "key")
    console().print(f"{arguments.config}: good ({providers}, {keys})")
    return 0
