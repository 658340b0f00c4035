"""The stream of Chat Completions and of Completions.

openai `types/chat/chat_completion_chunk.py`, `types/completion.py`; OpenRouter adds `reasoning`
(openrouter.ai/docs/api-reference/streaming), DeepSeek and vLLM `reasoning_content`.
"""

from gateway.metering.estimate import characters_in, tokens_in
from gateway.metering.json_object import text_or_none
from gateway.metering.moderation import flags_within
from gateway.metering.refusal import REFUSALS, REFUSED
from gateway.metering.shapes import UNDECODABLE, ChatChoice, ChatChunk, ChatDelta, decode_chat
from gateway.metering.stream_state import DONE, StreamState


class ChatState(StreamState):
    """Usage comes last, in a chunk without choices, or packed into the chunk that finishes.

    Some servers send a running count with every chunk (vLLM's `continuous_usage_stats`); that
    covers the whole answer only once the answer has finished.
    """

    def add(self, data: bytes) -> bool:
        try:
            chunk = decode_chat(data)
        except UNDECODABLE:
            if data.startswith(DONE):
                self.settled, self.counted = True, self.usage is not None
            return False
        return self._add(chunk)

    def _add(self, chunk: ChatChunk) -> bool:
        if self.model is None:
            self._introduce(chunk)
        if chunk.error is not None:
            self.fail(chunk.error)
        self.moderated = self.moderated or flags_within(bytes(chunk.moderation))
        choices = chunk.choices or []
        said = [self._choose(choice) for choice in choices]
        if chunk.usage is None:
            if len(said) == 1 and isinstance(said[0], str) and self.model is not None:
                self.said = said[0]
            return False
        self.report(chunk.usage, None, chunk.service_tier)
        self.counted = not choices or self.finish_reason is not None
        return not choices and chunk.error is None

    def _introduce(self, chunk: ChatChunk) -> None:
        self.introduce(chunk.id)
        self.model = text_or_none(chunk.model)
        self.created = chunk.created if isinstance(chunk.created, int) else None

    def _choose(self, choice: ChatChoice) -> object:
        """Take a choice; returns what it says."""
        delta = choice.delta
        said = choice.text if delta is None else _text(delta)
        if said:
            self.tokens += tokens_in(characters_in(said))
            if delta is not None and not delta.content and delta.refusal:
                self.flags = REFUSALS[REFUSED]
        if choice.finish_reason is not None:
            self.finish_reason = self.finish_reason or text_or_none(choice.finish_reason)
        return said


def _text(delta: ChatDelta) -> object:
    """What the event says; an event says one thing, or the same one under two names."""
    return (
        delta.content
        or delta.reasoning
        or delta.reasoning_content
        or delta.tool_calls
        or delta.refusal
        or delta.function_call
    )
