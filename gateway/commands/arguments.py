"""Arguments that several commands share, and where commands write."""

import argparse
import os
from pathlib import Path
from typing import Any

from rich.console import Console

from gateway.config import Config
from gateway.configfile import load

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


def read_config(arguments: argparse.Namespace) -> Config:
    """The configuration of `-c`; ConfigError says everything that is wrong with it."""
    return load(arguments.config, os.environ)


def console() -> Console:
    """Where a command's result goes; plain text when that is not a terminal."""
    return Console(highlight=False, soft_wrap=True)
