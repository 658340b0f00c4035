"""OpenAI's moderations: platform.openai.com/docs/api-reference/moderations."""

from typing import Any

import msgspec

from gateway.mock.transcript import content_text

MARKER = "arson"
"""Text with this word in it is flagged as violence."""

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


class _Request(msgspec.Struct):
    input: str | list[Any]
    model: str = "omni-moderation-latest"


_decode = msgspec.json.Decoder(_Request).decode


def moderate(body: bytes, *, answer_id: str) -> dict[str, Any]:
    """The verdict on every text; the parts of a multi-modal input are judged as one."""
    request = _decode(body)
    several = isinstance(request.input, list) and all(isinstance(i, str) for i in request.input)
    texts = request.input if several else [content_text(request.input)]
    results = [_result(text) for text in texts]
    return {"id": f"modr-{answer_id}", "model": request.model, "results": results}


def _result(text: str) -> dict[str, Any]:
    flagged = MARKER in text.lower()
    hits = {name: flagged and name == "violence" for name in _CATEGORIES}
    return {
        "flagged": flagged,
        "categories": hits,
        "category_scores": {name: 0.98 if hit else 0.001 for name, hit in hits.items()},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
