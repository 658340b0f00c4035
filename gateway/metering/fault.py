"""Error messages, out of whatever an upstream calls an error."""

_MAX_LENGTH = 1000
_MAX_ITEMS = 16


def error_message(error: object) -> str | None:
    """The text of a decoded error value, cut at 1000 characters; None when it has none.

    Knows `{"message": …}` (OpenAI, Anthropic, OpenRouter), a bare string, `{"code": …}` and
    `{"type": …}` alone, and the list of `{"loc": …, "msg": …}` that FastAPI sends as `detail`.
    """
    if isinstance(error, list):
        items = (each for each in error[:_MAX_ITEMS] if not isinstance(each, list))
        return _cut("; ".join(filter(None, map(error_message, items))))
    if isinstance(error, dict):
        texts = (error.get(name) for name in ("message", "msg", "code", "type"))
        return _cut(next((text for text in texts if isinstance(text, str) and text), ""))
    return _cut(error) if isinstance(error, str) else None


def _cut(text: str) -> str | None:
    return text.strip()[:_MAX_LENGTH] or None
