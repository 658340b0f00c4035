"""The entry point of the `hearth` command."""

from collections.abc import Sequence

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: 0 is success, 1 a finding or failure, 2 wrong arguments or configuration."""
    try:
        # Imported here because loading everything takes a moment, and Ctrl-C may fall into it.
        from gateway.commands.dispatch import dispatch

        return dispatch(argv)
    except KeyboardInterrupt:
        return INTERRUPTED
