"""Arguments that several commands share."""

import argparse
import os
from pathlib import Path
from typing import Any

from gateway.calendar import day_number
from gateway.calls.body import Body
from gateway.calls.enduser import find_end_user
from gateway.calls.head import Head
from gateway.config import Config
from gateway.configfile import load
from gateway.errors import BadRequest

Commands = Any  # argparse keeps the type of its sub-command registry private
"""What `add_subparsers` returns."""


class UsageError(Exception):
    """Arguments that are each well-formed and make no sense together."""


def add_config(parser: argparse.ArgumentParser) -> None:
    """`-c FILE`."""
    parser.add_argument(
        *("-c", "--config"),
        type=Path,
        default=Path("config.yaml"),
        metavar="FILE",
        help="the configuration (default: config.yaml)",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """`-o FILE`."""
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: standard output"
    )


def read_config(arguments: argparse.Namespace) -> Config:
    """The configuration of `-c`; ConfigError says everything that is wrong with it."""
    return load(arguments.config, os.environ)


def port(text: str) -> int:
    """An argument's type: a TCP port, 0 for a free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("Expected a port from 0 to 65535")
    return int(text)


def end_user(text: str) -> str:
    """An argument's type: an end user's id, by the rules for the body of a request."""
    try:
        text.encode()
        user = find_end_user(Head("POST", "", []), Body(user=text))
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError("Expected text in UTF-8") from error
    except BadRequest as error:
        raise argparse.ArgumentTypeError(error.message) from error
    if user is None:
        raise argparse.ArgumentTypeError("Expected a user id that is not empty")
    return user.id


def day(text: str) -> int:
    """An argument's type: a UTC day, as days since the epoch."""
    try:
        return day_number(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("Expected a day as YYYY-MM-DD") from error
