r"""Which API is called: request targets to endpoints.

A path is normalised once, here; policies, metering and forwarding all see the result, so no
spelling (`/V1/Chat/Completions`, `//v1//chat/completions/`, `/v1/chat%2Fcompletions`,
`/v1/chat/completions;x`, `/v1/chat\completions#x`) reaches a provider as something else than what
was checked.
"""

import re
from typing import Final, Literal
from urllib.parse import quote, unquote

from gateway.envelope import Envelope
from gateway.errors import BadRequest

Dialect = Literal["chat", "completions", "responses", "messages", "embeddings", "other"]
"""Whose usage fields and stream events the answer has."""


class Endpoint:
    """A model endpoint below `/v1`.

    `api_type` is OpenRouter's name of the kind of generation; None for what it does not know.
    `enforced`: whether user ids are enforced on it. `known`: whether it is in the table at all.
    `metered`: whether answers tell what was used for them. `model`: the one that its address names;
    None where the body does.
    """

    def __init__(
        self,
        *,
        path: str,
        dialect: Dialect = "other",
        api_type: str | None = None,
        enforced: bool = True,
        known: bool = True,
        metered: bool = True,
        model: str | None = None,
    ) -> None:
        self.path: Final = path
        self.dialect: Final[Dialect] = dialect
        self.api_type: Final = api_type
        self.enforced: Final = enforced
        self.known: Final = known
        self.metered: Final = metered
        self.model: Final = model


ENDPOINTS = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint(path="chat/completions", dialect="chat", api_type="completions"),
        Endpoint(path="completions", dialect="completions", api_type="completions"),
        Endpoint(path="responses", dialect="responses", api_type="completions"),
        Endpoint(path="responses/compact", dialect="responses", api_type="completions"),
        Endpoint(path="responses/input_tokens", enforced=False, metered=False),
        Endpoint(path="messages", dialect="messages", api_type="completions"),
        Endpoint(path="messages/count_tokens", enforced=False, metered=False),
        Endpoint(path="embeddings", dialect="embeddings", api_type="embeddings"),
        Endpoint(path="images", api_type="image"),
        Endpoint(path="images/generations", api_type="image"),
        Endpoint(path="images/edits", api_type="image"),
        Endpoint(path="images/variations", api_type="image"),
        Endpoint(path="audio/speech", api_type="tts"),
        Endpoint(path="audio/transcriptions", api_type="stt"),
        Endpoint(path="audio/translations", api_type="stt"),
        Endpoint(path="videos", api_type="video"),
        Endpoint(path="rerank", api_type="rerank"),
        Endpoint(path="moderations", enforced=False),
    )
}


class Target:
    """A request target on the data path: endpoint, query string, and whose errors to speak.

    `path` is the endpoint with its query, relative to `/v1/`, as it is forwarded.
    """

    def __init__(self, *, endpoint: Endpoint, query: str, envelope: Envelope) -> None:
        self.endpoint: Final = endpoint
        self.query: Final = query
        self.envelope: Final = envelope
        self.path: Final = f"{endpoint.path}?{query}" if query else endpoint.path

    def path_for(self, model: str | None) -> str:
        """`path` as it is asked of a provider that knows the model as `model`."""
        if self.endpoint.model is None or model is None:
            return self.path
        _, _, rest = self.path.split("/", 2)
        return _engine_path(model, rest)


MAX_PATH = 1024
"""Characters of a path, which goes on the record."""

_PREFIX = re.compile(r"/+(api/+)?v1/+(.+)", re.IGNORECASE)
_SLASHES = re.compile(r"/+")
_PARAMETERS = re.compile(r";[^/]*|[?#].*")  # RFC 3986 section 3.3; some servers drop them
_VISIBLE = re.compile(r"[!-~]+")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_ENGINE = re.compile(r"/*engines/+(?P<model>[^/]+)/+(?P<path>.+)", re.IGNORECASE)


def parse_target(target: str) -> Target | None:
    """The data-path target, or None when it is not below `/v1/` or `/api/v1/`.

    An endpoint that is not in the table passes through under its own spelling. Raises BadRequest
    for dot segments, control characters and raw non-ASCII, which each provider takes otherwise, and
    for a path over MAX_PATH characters.
    """
    raw_path, _, query = target.partition("?")
    match = _PREFIX.fullmatch(raw_path)
    if match is None:
        return None
    if len(raw_path) > MAX_PATH:
        raise BadRequest(f"The path is over {MAX_PATH:,} characters")
    decoded = _decoded(match[2])
    if not _VISIBLE.fullmatch(target) or _CONTROL.search(decoded):
        raise BadRequest("The address contains a space, a control character or one outside ASCII")
    path = _PARAMETERS.sub("", decoded)
    if {".", ".."} & set(path.split("/")):
        raise BadRequest("The path contains a `.` or `..` segment")
    endpoint = ENDPOINTS.get(_normalised(path))
    if endpoint is None:
        endpoint = _engine(path)
    if endpoint is None:
        endpoint = Endpoint(path=match[2], enforced=False, known=False)
    return Target(endpoint=endpoint, query=query, envelope=_envelope(endpoint, api=bool(match[1])))


def _engine(path: str) -> Endpoint | None:
    """What OpenAI's old form of an address, `engines/{model}/completions`, stands for; None for any
    other. A provider may still know it, so the rules of the new form hold for it as well."""
    match = _ENGINE.fullmatch(path)
    modern = ENDPOINTS.get(_normalised(match["path"])) if match else None
    if match is None or modern is None:
        return None
    return Endpoint(
        path=_engine_path(match["model"], modern.path),
        dialect=modern.dialect,
        api_type=modern.api_type,
        enforced=modern.enforced,
        metered=modern.metered,
        model=match["model"],
    )


def _engine_path(model: str, rest: str) -> str:
    return f"engines/{quote(model, safe='')}/{rest}"


def unmetered(target: Target) -> Target:
    """The same address for a request that only reads what was answered before, and was counted
    then."""
    path = target.endpoint.path
    endpoint = Endpoint(path=path, enforced=False, known=False, metered=False)
    return Target(endpoint=endpoint, query=target.query, envelope=target.envelope)


def envelope_at(target: str) -> Envelope:
    """Whose errors to speak at an address, be it one that exists or not."""
    match = _PREFIX.match(target)
    return Envelope.OPENROUTER if match and match[1] else Envelope.OPENAI


def _decoded(path: str) -> str:
    r"""As the most lenient server reads it: every level of encoding undone, `\` as a slash."""
    while (less := unquote(path)) != path:
        path = less
    return path.replace("\\", "/")


def _normalised(path: str) -> str:
    """As the table spells it."""
    return _SLASHES.sub("/", path).strip("/").lower()


def _envelope(endpoint: Endpoint, *, api: bool) -> Envelope:
    if endpoint.path.lower().startswith("messages"):
        return Envelope.ANTHROPIC
    return Envelope.OPENROUTER if api else Envelope.OPENAI
