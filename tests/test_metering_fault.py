"""The text of an error, in whatever shape a provider gives it."""

import pytest

from gateway.metering.fault import error_message


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"message": "Rate limit", "type": "tokens", "code": "rate_limit"}, "Rate limit"),
        ({"code": 429, "message": " Rate limit ", "metadata": {}}, "Rate limit"),
        ("Rate limit", "Rate limit"),
        ({"code": "rate_limit"}, "rate_limit"),
        ({"type": "overloaded_error", "message": None}, "overloaded_error"),
        ([{"loc": ["body"], "msg": "required"}, {"msg": "too long"}], "required; too long"),
    ],
)
def test_every_shape_of_error_has_a_text(error: object, text: str) -> None:
    """OpenAI, OpenRouter, plain, code only, type only, FastAPI."""
    assert error_message(error) == text


@pytest.mark.parametrize("error", [None, {}, [], "", "  ", 500, {"message": 5}, [None, {}]])
def test_what_says_nothing_is_no_error(error: object) -> None:
    """Null and empty errors, which successful answers carry, are none."""
    assert error_message(error) is None


def test_long_messages_are_cut() -> None:
    """An upstream cannot fill the ledger with its error texts."""
    assert error_message({"message": "x" * 5000}) == "x" * 1000


@pytest.mark.parametrize("depth", [1, 500, 900])
def test_lists_of_lists_are_no_error(depth: int) -> None:
    """Only FastAPI's one list is known, so nothing is nested too deep to be looked at."""
    nested: list[object] = ["text"]
    for _ in range(depth):
        nested = [nested]
    assert error_message(nested) is None
    assert error_message([{"msg": "required"}, nested]) == "required"
