"""Endpoint ids: a UUID that follows from two names."""

from uuid import UUID

from gateway.api.openrouter.endpoint_id import endpoint_id


def test_same_names_have_the_same_id_everywhere() -> None:
    """Written down once: clients keep these ids."""
    assert endpoint_id("openai-a", "gpt-4o-mini") == "ae3f2882-d65a-5bd6-9fe8-2cd612d61b3c"
    assert UUID(endpoint_id("", "")).version == 5


def test_other_names_have_another_id() -> None:
    """Provider and model are kept apart, also where they read the same together."""
    ids = {endpoint_id(*names) for names in (("a", "bc"), ("ab", "c"), ("bc", "a"), ("abc", ""))}
    assert len(ids) == 4
