"""The stream of OpenAI's Responses API: openai `types/responses/response_stream_event.py`."""

from gateway.metering.ending import declines, finish_reason, first_choice
from gateway.metering.estimate import characters_in, tokens_in
from gateway.metering.moderation import flags_within
from gateway.metering.refusal import REFUSALS, REFUSED
from gateway.metering.shapes import UNDECODABLE, Answer, decode_responses
from gateway.metering.stream_state import StreamState

_TERMINAL = frozenset({"response.completed", "response.failed", "response.incomplete"})
_SOUND = "response.audio.delta"


class ResponsesState(StreamState):
    """Usage comes with the response itself, in the terminal event."""

    def add(self, data: bytes) -> bool:
        try:
            event = decode_responses(data)
        except UNDECODABLE:
            return False
        if isinstance(event.sequence_number, int):
            self.sequence_number = event.sequence_number
        if event.type.endswith(".delta") and event.type != _SOUND:
            self.tokens += tokens_in(characters_in(event.delta))
        elif event.response:
            self._respond(event.type, event.response)
        elif event.type in ("error", "response.error"):
            self.fail(event.error or {"code": event.code, "message": event.message})
        return False

    def _respond(self, event_type: str, response: Answer) -> None:
        self.introduce(response.id)
        if event_type in _TERMINAL:
            self.settled = True
            choice = first_choice(response)
            self.finish_reason = finish_reason(response, choice)
            if declines(response, choice):
                self.flags = REFUSALS[REFUSED]
            self.moderated = flags_within(bytes(response.moderation))
            self.report(response.usage, response.tool_usage, response.service_tier)
            self.counted = self.usage is not None
            self.fail(response.error)
