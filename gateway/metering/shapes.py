"""The fields of every API's answers and events that are metered, and their decoders.

Leaves may have any JSON type: a wrong one costs the leaf, not the rest. Every decoder raises one of
UNDECODABLE for bytes that are not the shape.
"""

from typing import Any

import msgspec

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding an upstream's bytes may raise; the last for JSON nested without end."""


class Message(msgspec.Struct, gc=False):
    """The part of a chat's message that says whether it declines."""

    refusal: Any = None


class AnswerChoice(msgspec.Struct, gc=False):
    finish_reason: Any = None
    message: Message | None = None
    error: Any = None


class Answer(msgspec.Struct, gc=False):
    """An answer in one piece, of any API."""

    id: Any = None
    choices: list[AnswerChoice] | None = None
    stop_reason: Any = None
    status: Any = None
    incomplete_details: Any = None
    usage: Any = None
    error: Any = None
    detail: Any = None
    message: Any = None
    tool_usage: Any = None
    service_tier: Any = None
    output: msgspec.Raw = msgspec.Raw()
    results: msgspec.Raw = msgspec.Raw()
    moderation: msgspec.Raw = msgspec.Raw()


class OutputPart(msgspec.Struct):
    type: Any = None


class OutputItem(msgspec.Struct):
    """One of a response's `output`."""

    content: list[OutputPart] | None = None


class ModerationResult(msgspec.Struct):
    """`flagged` is OpenAI's; Mistral's results leave it to the categories, in which each applies or
    does not."""

    flagged: bool | None = None
    categories: dict[str, Any] = {}


class Moderated(ModerationResult):
    """What moderation says of an input or an output: a chat's has results, a response's is one."""

    results: list[ModerationResult] = []


class Moderation(msgspec.Struct):
    """That of an answer which was asked for it."""

    input: Moderated | None = None
    output: Moderated | None = None


class ChatDelta(msgspec.Struct, gc=False):
    content: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None


class ChatChoice(msgspec.Struct, gc=False):
    delta: ChatDelta | None = None
    text: Any = None
    finish_reason: Any = None


class ChatChunk(msgspec.Struct, gc=False):
    """An event of Chat Completions or Completions."""

    id: Any = None
    created: Any = None
    model: Any = None
    choices: list[ChatChoice] | None = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None
    moderation: msgspec.Raw = msgspec.Raw()


class MessagesDelta(msgspec.Struct, gc=False):
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    stop_reason: Any = None


class MessagesEvent(msgspec.Struct, gc=False):
    """An event of Anthropic's Messages."""

    type: Any = None
    message: Answer | None = None
    delta: MessagesDelta | None = None
    usage: Any = None
    error: Any = None


class ResponsesEvent(msgspec.Struct, gc=False):
    """An event of the Responses API."""

    type: str = ""
    sequence_number: Any = None
    response: Answer | None = None
    delta: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


class OtherEvent(msgspec.Struct):
    """An event of images, audio or an unknown API."""

    id: Any = None
    usage: Any = None
    error: Any = None


decode_answer = msgspec.json.Decoder(Answer).decode
decode_output = msgspec.json.Decoder(list[OutputItem]).decode
decode_results = msgspec.json.Decoder(list[ModerationResult]).decode
decode_moderation = msgspec.json.Decoder(Moderation | None).decode
decode_chat = msgspec.json.Decoder(ChatChunk).decode
decode_messages = msgspec.json.Decoder(MessagesEvent).decode
decode_responses = msgspec.json.Decoder(ResponsesEvent).decode
decode_other = msgspec.json.Decoder(OtherEvent).decode
