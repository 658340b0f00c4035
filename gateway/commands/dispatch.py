"""Which command it is, and what becomes of its errors: one line on standard error each."""

import argparse
import os
import sys
from collections.abc import Sequence

from gateway import __version__
from gateway.commands import (
    check,
    demo,
    erase_user,
    export,
    export_user,
    ledger,
    mock_provider,
    route,
    serve,
)
from gateway.commands.arguments import UsageError
from gateway.commands.output import tell
from gateway.configfile import ConfigError
from gateway.ledger.journal import JournalError
from gateway.ledger.store import StoreUnavailable
from gateway.processes.logs import log_to_stderr
from gateway.processes.worker_process import StartFailed

COMMANDS = (serve, demo, check, route, mock_provider, export, export_user, erase_user, ledger)


def dispatch(argv: Sequence[str] | None) -> int:
    """The exit code of the command that `argv` asks for; SystemExit(2) when it asks for none."""
    log_to_stderr()
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (ConfigError, UsageError) as error:
        return _fail(2, str(error))
    except BrokenPipeError:
        return _stop_writing()
    except OSError as error:
        return _fail(1, f"hearth: {_explain(error)}")
    except (StoreUnavailable, JournalError, StartFailed) as error:
        return _fail(1, f"hearth: {error}")
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


def _fail(code: int, text: str) -> int:
    tell(text)
    return code


def _explain(error: OSError) -> str:
    """The error's text without its number."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _stop_writing() -> int:
    """Whoever read standard output has enough; at exit Python would try to write to it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
