"""One log for all processes: lines on standard error, each with the process it comes from."""

import logging


def log_to_stderr() -> None:
    """Set it up for this process."""
    form = "%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form)
