"""The stream of Anthropic's Messages API.

docs.anthropic.com/en/api/messages-streaming; anthropic `types/raw_message_stream_event.py`.
"""

from typing import Any

from gateway.metering.estimate import characters_in, tokens_in
from gateway.metering.json_object import text_or_none
from gateway.metering.shapes import UNDECODABLE, MessagesEvent, decode_messages
from gateway.metering.stream_state import StreamState


class MessagesState(StreamState):
    """`message_start` brings the input counts, each `message_delta` the output count so far.

    A delta may bring input counts again; what it leaves out stays as the start had it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, Any] = {}

    def add(self, data: bytes) -> bool:
        try:
            event = decode_messages(data)
        except UNDECODABLE:
            return False
        self._add(event)
        return False

    def _add(self, event: MessagesEvent) -> None:
        if event.type == "content_block_delta" and event.delta:
            delta = event.delta
            said = delta.text or delta.thinking or delta.partial_json
            self.tokens += tokens_in(characters_in(said))
            if isinstance(said, str):
                self.said = said
        elif event.type == "message_start" and event.message:
            self.introduce(event.message.id)
            self._merge(event.message.usage)
        elif event.type == "message_delta":
            self._end(event)
        elif event.type == "message_stop":
            self.settled = True
        elif event.error is not None:
            self.fail(event.error)

    def _end(self, event: MessagesEvent) -> None:
        if event.delta:
            self.finish_reason = text_or_none(event.delta.stop_reason) or self.finish_reason
        if isinstance(event.usage, dict):
            self._merge(event.usage)
            self.counted = self.usage is not None and event.usage.get("output_tokens") is not None

    def _merge(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._counts |= {name: value for name, value in usage.items() if value is not None}
            self.report(self._counts)
