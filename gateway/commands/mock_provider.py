"""`hearth mock-provider`: one provider that answers like a real one and costs nothing."""

import argparse
import asyncio
from collections.abc import Callable
from typing import TypeVar

import uvloop

from gateway.commands.arguments import Commands, port
from gateway.commands.output import console
from gateway.commands.stopping import until_signal
from gateway.mock.faults import parse_faults
from gateway.mock.running import running_provider
from gateway.mock.settings import MockSettings
from gateway.units import Duration

T = TypeVar("T")


def add_to(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser("mock-provider", help="run one mock provider")
    parser.add_argument("--port", type=port, required=True, help="0 for any free one")
    parser.add_argument("--name", default="mock", help="how its answers name it (default: mock)")
    parser.add_argument(
        "--latency",
        type=_argument(Duration.parse),
        default=Duration(0),
        help="delay before the first byte, such as 20ms",
    )
    parser.add_argument(
        "--fail",
        type=_argument(parse_faults),
        default=(),
        help="a status, cut, hang, refuse or garbage, with a share or not: 503, 429:0.1,cut:0.05",
    )
    parser.set_defaults(run=run)


def _argument(parse: Callable[[str], T]) -> Callable[[str], T]:
    """`parse` with its ValueError's text in argparse's own error."""

    def parse_argument(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_argument


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    settings = MockSettings(name=arguments.name, latency=arguments.latency, fail=arguments.fail)
    uvloop.run(until_signal(_serve(settings, arguments.port)))
    return 0


async def _serve(settings: MockSettings, port: int) -> None:
    async with running_provider(settings, port=port) as provider:
        console().print(f"Mock provider {settings.name} listens on {provider.url}")
        await asyncio.Event().wait()
