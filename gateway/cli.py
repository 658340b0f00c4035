"""The entry point of the `hearth` command."""

import os
from collections.abc import Sequence

_INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command: 0 is success, 1 a finding or failure, 2 wrong arguments or configuration."""
    _open_standard_streams()
    try:
        # Imported here because loading everything takes a moment, and Ctrl-C may fall into it.
        from gateway.commands.dispatch import dispatch

        return dispatch(argv)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _open_standard_streams() -> None:
    """Those that are closed, as `<&-` has them: else the next socket would have their number."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
