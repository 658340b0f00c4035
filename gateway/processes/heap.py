"""The heap of a process whose threads come and go, as the shipper's and the stores' do."""

import ctypes
import os

_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def share_heap() -> None:
    """Have all threads that begin later share one heap: mallopt(3), M_ARENA_MAX.

    With a heap each, what one thread frees is of no use to the others, and all of them grow. Where
    the user sets `MALLOC_ARENA_MAX`, that holds; a C library without mallopt is left as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, 1)
