"""What counts as said by the user, in each API's request."""

import json
from typing import Any

import pytest

from gateway.errors import BadRequest
from gateway.policies.usertext import user_texts
from tests.parts.readings import FORM, form
from tests.parts.requests import request


def texts(body: bytes, *, is_json: bool = True) -> list[str]:
    fields = [] if is_json else [FORM]
    return user_texts(request(*fields, body=body), is_json=is_json)


PARTS = [
    {"type": "text", "text": "one"},
    {"type": "image_url", "image_url": {"url": "https://x.example/y.png"}},
    {"type": "text", "text": "two"},
]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"messages": [{"role": "user", "content": "hi"}]}, ["hi"]),
        ({"messages": [{"role": "user", "content": PARTS}]}, ["one", "two"]),
        (
            {
                "messages": [
                    {"role": "system", "content": "be nice"},
                    {"role": "user", "content": "first"},
                    {"role": "assistant", "content": "yes"},
                    {"role": "tool", "content": "42"},
                    {"role": "user", "content": [{"type": "tool_result", "content": "43"}]},
                    {"role": "user", "content": "second"},
                ]
            },
            ["first", "second"],
        ),
        ({"prompt": "a cat"}, ["a cat"]),
        ({"prompt": ["a", "b", " "]}, ["a", "b"]),
        ({"prompt": [[1, 2, 3]]}, []),
        (
            {"prompt": {"id": "p", "variables": {"a": "x", "b": PARTS[1], "c": PARTS[2]}}},
            ["x", "two"],
        ),
        ({"prompt": {"id": "p", "variables": None}}, []),
        ({"input": "speak", "instructions": "slowly"}, ["speak"]),
        ({"input": ["x", "y"]}, ["x", "y"]),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "r"}]}]}, ["r"]),
        ({"input": [{"type": "function_call_output", "output": "o"}]}, []),
        ({"query": "best?", "documents": ["a"]}, ["best?"]),
        ({"messages": None, "prompt": 7}, []),
        ({"prompt": {"type": {}}, "input": [{"type": ["text"], "text": "no"}]}, []),
    ],
)
def test_fields_of_each_api(fields: dict[str, Any], said: list[str]) -> None:
    """The user's messages, prompts, inputs and queries; nobody else's words, no blanks."""
    assert texts(json.dumps(fields).encode()) == said


def test_forms() -> None:
    """An image edit says its prompt in a form."""
    body = form(("prompt", "a dog"), ("model", "m"))
    assert texts(body, is_json=False) == ["a dog"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"messages":[{"role":"user","content":"bad\xff"}]}', ["bad\N{REPLACEMENT CHARACTER}"]),
        (b'{"messages":[{"role":"user","content":"bad","n":1e999}]}', ["bad"]),
        (b'{"messages":[{"role":"user","content":"bad","n":%b}]}' % (b"9" * 5000), ["bad"]),
        (b'{"prompt":"bad","query":%b%b}' % (b"[" * 900, b"]" * 900), ["bad"]),
    ],
    ids=["no UTF-8", "large", "long", "deep"],
)
def test_unusual_json_hides_nothing(body: bytes, said: list[str]) -> None:
    """What a provider may still read is read here too: nobody gets past a check with it."""
    assert texts(body) == said


def test_a_body_that_cannot_be_read_is_the_clients_fault() -> None:
    """Not the endpoint's, for whose faults a call may be let through."""
    with pytest.raises(BadRequest, match="not a JSON object"):
        texts(b'{"messages":%b}' % (b"[" * 100_000))
