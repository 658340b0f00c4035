"""Fields of a body that hold a text."""

import pytest

from gateway.calls.textfield import MAX_NAME, hint_field, name_field, text_field
from gateway.errors import BadRequest


@pytest.mark.parametrize(("value", "text"), [(" a b\n", "a b"), ("", None), (" \t", None)])
def test_texts_are_trimmed(value: str, text: str | None) -> None:
    """Blanks around a text are no part of it, and a blank one is absent."""
    assert text_field(value, "model") == hint_field(value) == text


@pytest.mark.parametrize("value", [0, 1.5, True, [], {}])
def test_other_types(value: object) -> None:
    """They are an error where the field counts, and nothing where it only steers routing."""
    with pytest.raises(BadRequest, match="`model` must be a string") as caught:
        text_field(value, "model")
    assert caught.value.param == "model"
    assert hint_field(value) is None


def test_null_is_absent() -> None:
    """As good as no field at all."""
    assert text_field(None, "model") is None
    assert hint_field(None) is None


def test_what_is_too_long_for_a_record() -> None:
    """A name has room for so many characters; a longer one is an error, or steers nothing."""
    longest = "a" * MAX_NAME
    assert name_field(f" {longest} ", "model") == hint_field(longest) == longest
    with pytest.raises(BadRequest, match="1 to 512 characters, 513 found") as caught:
        name_field(longest + "a", "model")
    assert caught.value.param == "model"
    assert hint_field(longest + "a") is None
