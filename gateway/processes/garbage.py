"""The garbage collector, set for a process that serves for long and makes next to no cycles."""

import gc

_YOUNG = 20_000
"""New objects, some 2 MB, before the collector looks at any. At 700, which is usual, each request
pays its part of a look, which costs more than it finds."""


def collect_seldom() -> None:
    """Look for cycles less often, and never through what is there already: modules and classes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
