"""`python -m gateway.processes CHANNEL SOCKET...`: a worker, for the supervisor to start."""

import signal
import sys


def main() -> None:
    """Work, with the file descriptors of the command line."""
    # First of all: Ctrl-C reaches the whole process group, and the supervisor says what it means.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    from gateway.processes.worker import run

    run(*map(int, sys.argv[1:]))


main()
