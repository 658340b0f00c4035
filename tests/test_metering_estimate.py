"""What is assumed to be used where a provider did not count."""

from time import thread_time

import pytest

from gateway.calls.endpoint import Dialect
from gateway.generation import Usage
from gateway.metering.estimate import Estimate, characters_in, running_usage, tokens_in

PROMPT = b"x, y" * 100


@pytest.mark.parametrize(("characters", "tokens"), [(0, 0), (1, 1), (4, 1), (7, 1), (8, 2)])
def test_four_characters_are_a_token(characters: int, tokens: int) -> None:
    """Whatever is not empty is a token at least."""
    assert tokens_in(characters) == tokens


@pytest.mark.parametrize("dialect", ["chat", "completions", "responses", "messages"])
def test_a_generating_api_is_estimated_both_ways(dialect: Dialect) -> None:
    """The prompt by the length of the body, the completion by what was seen."""
    assert Estimate(dialect, 200, PROMPT).usage(7) == Usage(100, 7, estimated=True)


def test_embeddings_generate_nothing() -> None:
    """An embedding's answer is no completion, however long."""
    assert Estimate("embeddings", 200, PROMPT).usage(7) == Usage(100, estimated=True)


def test_what_is_not_billed_by_the_token_is_not_estimated() -> None:
    """Images and audio without usage, and refused calls, are plain zeros."""
    assert Estimate("other", 200, PROMPT).usage(7) == Usage()
    assert Estimate("chat", 429, PROMPT).usage(7) == Usage()
    assert Estimate("chat", 302, PROMPT).usage(7) == Usage()


def test_a_file_in_base64_is_no_text() -> None:
    """Megabytes of an image cost what an image costs, not a token for every four characters."""
    body = b'{"text":"abcdef","url":"data:image/png;base64,%b"}' % (b"iVBORw0K" * 100_000)
    around = len(body) - 800_000
    assert Estimate("chat", 200, body).usage(0) == Usage(around // 4 + 765, estimated=True)


def test_a_running_count_keeps_its_prompt() -> None:
    """An unfinished count is real for the prompt; of the completions the larger holds."""
    start = Usage(1000, 1, cached_tokens=900)
    assert running_usage(start, 40) == Usage(1000, 40, cached_tokens=900, estimated=True)
    assert running_usage(Usage(1000, 50), 40) == Usage(1000, 50, estimated=True)


def test_characters_of_nested_text() -> None:
    """All strings in a value are its text; numbers and names of fields are not."""
    assert characters_in([{"function": {"name": "abc", "arguments": "{}"}, "index": 0}]) == 5
    assert characters_in("four") == 4
    assert characters_in(None) == characters_in(17) == 0


def test_a_body_of_words_that_are_nearly_files_is_read_in_no_time() -> None:
    """The time grows with the length of the body, whatever is in it."""
    body = (b"a" * 1023 + b" ") * 2000
    began = thread_time()
    assert Estimate("chat", 200, body).usage(0) == Usage(512_000, estimated=True)
    assert thread_time() - began < 0.3


@pytest.mark.parametrize("depth", [1, 900, 100_000])
def test_characters_of_what_is_nested_without_end(depth: int) -> None:
    """A text counts however deep it is."""
    value: object = "four"
    for _ in range(depth):
        value = [value]
    assert characters_in({"a": value, "b": 1}) == 4
