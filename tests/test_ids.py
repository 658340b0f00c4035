"""Generation ids: OpenRouter's form, and never twice."""

import re
import time

from gateway.ids import GenerationIds


def test_form_of_an_id() -> None:
    """`gen-`, the second in which it was made, and twenty hexadecimal digits."""
    before = int(time.time())
    match = re.fullmatch(r"gen-([0-9]{10})-[0-9a-f]{20}", GenerationIds().next())
    assert match is not None
    assert before <= int(match[1]) <= time.time()


def test_ids_are_never_the_same() -> None:
    """Not within one process, nor among processes that start in the same second."""
    sources = [GenerationIds() for _ in range(20)]
    ids = [source.next() for source in sources for _ in range(200)]
    assert len(set(ids)) == len(ids)


def test_ids_of_one_source_sort_in_their_order() -> None:
    """Later ids are greater, so records sort by id as by time."""
    source = GenerationIds()
    ids = [source.next() for _ in range(300)]
    assert ids == sorted(ids)
