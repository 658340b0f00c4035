"""The end user that a command is about, and the keys that may have one of that name."""

import argparse

from gateway.commands.arguments import add_config, end_user
from gateway.config import Config
from gateway.keys import OPEN
from gateway.ledger.person.traces import Person


def add_person(parser: argparse.ArgumentParser) -> None:
    """`USER`, `--key NAME` and `-c FILE`."""
    parser.add_argument("user", type=end_user, metavar="USER", help="the end user's id")
    parser.add_argument(
        "--key", metavar="NAME", help="only the user of this key (default: of every key)"
    )
    add_config(parser)


def person(arguments: argparse.Namespace) -> Person:
    """The user that the arguments name; the key need not be configured any more."""
    tenants = None if arguments.key is None else frozenset((arguments.key,))
    return Person(arguments.user, tenants)


def configured_keys(config: Config) -> list[str]:
    """The tenants that calls may be counted for."""
    return [OPEN, *(key.name for key in config.keys)]
