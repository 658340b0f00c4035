"""OpenAI's embeddings: platform.openai.com/docs/api-reference/embeddings."""

import math
import struct
from base64 import b64encode
from random import Random
from typing import Annotated, Any, Literal

import msgspec
from xxhash import xxh3_64_intdigest

from gateway.mock.tokens import count_tokens


class _Request(msgspec.Struct):
    model: str
    input: str | Annotated[list[str | int | list[int]], msgspec.Meta(min_length=1)]
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=4096)] | None = None
    encoding_format: Literal["float", "base64"] | None = None


_decode = msgspec.json.Decoder(_Request).decode


def embed(body: bytes) -> dict[str, Any]:
    """The answer to a request for embeddings, one vector of length 1 per input."""
    request = _decode(body)
    inputs = _inputs(request.input)
    vectors = [_vector(each, request.dimensions or 256) for each in inputs]
    tokens = sum(_count(each) for each in inputs)
    encode = _base64 if request.encoding_format == "base64" else list
    return {
        "object": "list",
        "model": request.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _inputs(asked: str | list[str | int | list[int]]) -> list[Any]:
    """One or several texts, or one or several lists of token numbers."""
    return [asked] if isinstance(asked, str) or isinstance(asked[0], int) else asked


def _count(text: str | list[int]) -> int:
    return count_tokens(text) if isinstance(text, str) else len(text)


def _vector(text: str | list[int], dimensions: int) -> list[float]:
    dice = Random(xxh3_64_intdigest(msgspec.json.encode(text)))
    values = [dice.gauss(0, 1) for _ in range(dimensions)]
    length = math.hypot(*values)
    return [value / length for value in values]


def _base64(vector: list[float]) -> str:
    """Little-endian 32-bit floats, which is what the OpenAI SDK asks for unless told otherwise."""
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
