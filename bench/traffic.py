"""The requests every program gets: what the openai SDK sends, 150 bytes of body, another user each.

A template is a whole HTTP request in which each `USER` stands for the seven digits of a user's
number, so that its length is always the same.
"""

import msgspec

KEY = "sk-bench-0123456789abcdef0123456789abcdef"
MODEL = "gpt-4o-mini"
USER = "@@@@@@@"

_FIELDS = (
    "Host: 127.0.0.1",
    "Accept: application/json",
    "Accept-Encoding: gzip, deflate",
    "Connection: keep-alive",
    "Content-Type: application/json",
    "User-Agent: OpenAI/Python 3.52.0",
    f"Authorization: Bearer {KEY}",
    "X-Stainless-Lang: python",
    "X-Stainless-Package-Version: 3.52.0",
    "X-Stainless-Runtime: CPython",
    "X-Stainless-Runtime-Version: 3.11.2",
    "X-Stainless-Retry-Count: 0",
)


def chat(body_size: int = 150, fields: tuple[str, ...] = ()) -> bytes:
    """A template for a chat call with a body of `body_size` bytes, at least 110.

    `fields` are further header lines.
    """
    empty = len(_body("", stream=False))
    return _request(_body("a" * (body_size - empty), stream=False), fields)


def stream(chunks: int, every: int, fields: tuple[str, ...] = ()) -> bytes:
    """A template for a streamed call, answered in `chunks` pieces, one every `every` ms."""
    return _request(_body(f"Write {chunks} chunks, one every {every} ms.", stream=True), fields)


def user_number(number: int) -> bytes:
    """What takes the place of USER for the user with this number, below ten million."""
    return b"%07d" % number


def _body(text: str, *, stream: bool) -> bytes:
    fields = {
        "messages": [{"role": "user", "content": text}],
        "model": MODEL,
        **({"stream": True} if stream else {}),
        "user": f"user_{USER}",
    }
    return msgspec.json.encode(fields)


def _request(body: bytes, fields: tuple[str, ...]) -> bytes:
    lines = (
        "POST /v1/chat/completions HTTP/1.1",
        *_FIELDS,
        *fields,
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
