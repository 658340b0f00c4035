"""The garbage collector, set for a process that serves for long and makes next to no cycles."""

import gc

_YOUNG = 20_000
"""Objects more than there were, before any are looked at: of 700, which is usual, each request has
its part, and every look costs more than it finds. So many are some 2 MB."""


def collect_seldom() -> None:
    """Look for cycles less often, and never through what is there already: modules and classes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
