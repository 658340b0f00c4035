"""A mock provider: the APIs, the prompt cache and the failures of a real one."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
from aiohttp import web
from multidict import CIMultiDictProxy

from gateway.mock.apierror import ApiError
from gateway.mock.delivery import Answer, break_connection, cut_short, send
from gateway.mock.dialects import chat, completions, messages, responses
from gateway.mock.dialects.embeddings import embed
from gateway.mock.dialects.moderations import moderate
from gateway.mock.exchange import Dialect, Prompt, Reply
from gateway.mock.faults import FaultPlan
from gateway.mock.promptcache import CacheUse, PromptCache
from gateway.mock.prose import answer_to
from gateway.mock.settings import MockSettings
from gateway.mock.tokens import count_tokens, split_tokens

Clock = Callable[[], float]
"""Seconds since the epoch."""

MAX_BODY = 64 * 1024 * 1024


class Seen(msgspec.Struct, frozen=True):
    """A request as it reached the provider; `path` is the request target with its query."""

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes


SEEN: web.AppKey[deque[Seen]] = web.AppKey("seen", deque[Seen])
"""The latest requests, oldest first."""

FAULTS: web.AppKey[FaultPlan] = web.AppKey("faults", FaultPlan)
"""What goes wrong; may be replaced while the provider runs."""


def create_provider(settings: MockSettings, clock: Clock) -> web.Application:
    """The provider as an application that answers below `/v1/`."""
    provider = _Provider(settings, clock)
    app = web.Application(client_max_size=MAX_BODY)
    app[SEEN] = provider.seen
    app[FAULTS] = provider.faults
    app.on_response_prepare.append(provider.sign)
    app.router.add_route("*", "/v1/{path:.*}", provider.handle)
    return app


class _Provider:
    """Answers come out of sync methods; only `handle` touches the connection."""

    def __init__(self, settings: MockSettings, clock: Clock) -> None:
        self.seen: deque[Seen] = deque(maxlen=settings.remember)
        self.faults = FaultPlan(settings.fail, settings.seed)
        self._settings = settings
        self._clock = clock
        self._cache = PromptCache(
            capacity=settings.cache_tokens,
            lifetime=settings.cache_lifetime,
            minimum=settings.cache_minimum,
            step=settings.cache_step,
            clock=clock,
        )
        self._operations: dict[tuple[str, str], Callable[[bytes], Answer]] = {
            ("POST", "chat/completions"): partial(self._generate, chat),
            ("POST", "completions"): partial(self._generate, completions),
            ("POST", "responses"): partial(self._generate, responses),
            ("POST", "messages"): partial(self._generate, messages),
            ("POST", "embeddings"): self._embed,
            ("POST", "moderations"): self._moderate,
            ("GET", "models"): self._list_models,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request, or fail it when its turn to fail has come."""
        body = await request.read()
        self.seen.append(Seen(request.method, request.raw_path, request.headers, body))
        match self.faults.draw():
            case None:
                return await send(request, self._answer(request, body))
            case int() as status:
                error = ApiError(status, f"{self._settings.name} was told to fail")
                return await send(request, _refusal(error, request.match_info["path"]))
            case "cut":
                return await cut_short(request, self._answer(request, body))
            case breakage:
                return await break_connection(request, breakage)

    async def sign(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Name the request and the provider in the answer's head, as real ones do."""
        response.headers["X-Request-Id"] = f"req_{uuid4().hex}"
        response.headers["X-Mock-Provider"] = self._settings.name

    def _answer(self, request: web.Request, body: bytes) -> Answer:
        path = request.match_info["path"]
        try:
            self._authenticate(request)
            return self._operation(request.method, path)(body)
        except ApiError as error:
            return _refusal(error, path)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refusal(ApiError(400, str(error)), path)

    def _operation(self, method: str, path: str) -> Callable[[bytes], Answer]:
        operation = self._operations.get((method, path))
        if operation is None:
            raise ApiError(404, f"Nothing answers to {method} /v1/{path}")
        return operation

    def _authenticate(self, request: web.Request) -> None:
        expected = self._settings.api_key
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if expected and expected not in (bearer, request.headers.get("x-api-key")):
            raise ApiError(401, "The API key is missing or wrong")

    def _generate(self, dialect: Dialect, body: bytes) -> Answer:
        prompt = dialect.read(body)
        reply = self._reply(prompt)
        pause = self._settings.pause
        wait = self._settings.first_byte_after(reply.prompt_tokens - reply.cached_tokens)
        if prompt.stream:
            events = tuple(dialect.events(reply))
            return Answer(content_type="text/event-stream", pieces=events, delay=wait, pause=pause)
        return Answer.of_json(dialect.body(reply), delay=wait + pause * reply.completion_tokens)

    def _reply(self, prompt: Prompt) -> Reply:
        use = self._cache.use(prompt.model, prompt.text) if prompt.caches else CacheUse()
        tokens = split_tokens(answer_to(prompt.text))
        kept = tokens[: prompt.limit]
        return Reply(
            id=uuid4().hex,
            provider=self._settings.name,
            model=prompt.model,
            created=int(self._clock()),
            tokens=kept,
            complete=len(kept) == len(tokens),
            prompt_tokens=count_tokens(prompt.text),
            cached_tokens=use.read,
            written_tokens=use.written,
            asks_usage=prompt.asks_usage,
        )

    def _embed(self, body: bytes) -> Answer:
        return Answer.of_json(embed(body), delay=self._settings.latency)

    def _moderate(self, body: bytes) -> Answer:
        verdict = moderate(body, answer_id=uuid4().hex)
        return Answer.of_json(verdict, delay=self._settings.latency)

    def _list_models(self, _body: bytes) -> Answer:
        rest: dict[str, Any] = {"object": "model", "created": 0, "owned_by": self._settings.name}
        models = [{"id": model, **rest} for model in self._settings.models]
        return Answer.of_json({"object": "list", "data": models})


def _refusal(error: ApiError, path: str) -> Answer:
    payload = error.anthropic_body() if path == "messages" else error.openai_body()
    return Answer.of_json(payload, status=error.status, headers=error.headers)
