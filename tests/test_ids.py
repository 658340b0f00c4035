"""Generation ids: OpenRouter's form, and never twice."""

import re

from gateway.proxy.ids import GenerationIds

NOW = 1_763_697_210_123_456


def test_form_of_an_id() -> None:
    """`gen-`, the second of its request, and twenty hexadecimal digits."""
    assert re.fullmatch(r"gen-1763697210-[0-9a-f]{20}", GenerationIds().next(NOW))


def test_ids_are_never_the_same() -> None:
    """Not within one process, nor among processes that start in the same second."""
    sources = [GenerationIds() for _ in range(20)]
    ids = [source.next(NOW) for source in sources for _ in range(200)]
    assert len(set(ids)) == len(ids)


def test_ids_of_one_source_sort_in_their_order() -> None:
    """Later ids are greater, so records sort by id as by time."""
    source = GenerationIds()
    ids = [source.next(NOW + 10_000 * n) for n in range(300)]
    assert ids == sorted(ids)
