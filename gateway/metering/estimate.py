"""Tokens, where the provider did not come to count them.

The rule is four characters a token, which is what English text averages over the common
tokenizers. JSON around it makes the prompt come out high, scripts with a token or more per
character make it come out low; the record says that it is an estimate. An image, or another file
in base64, is no text: each counts as an image of 1024 x 1024 does with gpt-4o, 765 tokens
(platform.openai.com/docs/guides/images).
"""

import re
from typing import Final

from msgspec.structs import replace

from gateway.calls.endpoint import Dialect
from gateway.generation import Usage

_CHARACTERS_A_TOKEN: Final = 4
_TOKENS_A_FILE = 765
_FILE = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{1024,}={0,2}")
"""Looking back keeps it from being tried again at every character of a run that is too short."""


class Estimate:
    """What an answer to the body `prompt` used, which is only read if it comes to that.

    Zeros for a refused call and for an API without tokens.
    """

    def __init__(self, dialect: Dialect, status: int, prompt: bytes) -> None:
        self._dialect = dialect
        self._status = status
        self._prompt = prompt

    def usage(self, completion_tokens: int) -> Usage:
        """The usage to record where so many tokens of the completion were seen."""
        if self._dialect == "other" or not 200 <= self._status < 300:
            return Usage()
        text, files = _FILE.subn(b"", self._prompt)
        prompt_tokens = tokens_in(len(text)) + files * _TOKENS_A_FILE
        completion_tokens = 0 if self._dialect == "embeddings" else completion_tokens
        return Usage(prompt_tokens, completion_tokens, estimated=True)


def running_usage(reported: Usage, completion_tokens: int) -> Usage:
    """A count that the provider had not brought to an end: its prompt holds, its completion may
    lag behind the tokens seen."""
    completion = max(reported.completion_tokens, completion_tokens)
    return replace(reported, completion_tokens=completion, estimated=True)


def tokens_in(characters: int) -> int:
    """Tokens in a text or body of this length: at least one, unless it is empty.

    Summed over the events of a stream, this counts a token for every event that says something:
    providers send an event a token, and short words would else count as nothing.
    """
    return max(1, characters // _CHARACTERS_A_TOKEN) if characters else 0


def characters_in(value: object) -> int:
    """Length of a decoded JSON value's text: of a string, or of all strings in it."""
    if isinstance(value, str):
        return len(value)
    characters, left = 0, [value]
    while left:  # without recursion, as it may be nested as deep as can be decoded
        match left.pop():
            case str() as text:
                characters += len(text)
            case dict() as members:
                left += members.values()
            case list() as items:
                left += items
    return characters
