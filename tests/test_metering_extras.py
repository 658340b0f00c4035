"""What of a usage is not text, in the shapes that the APIs' own SDKs have."""

from typing import Any

import pytest
from anthropic.types import ServerToolUsage
from anthropic.types import Usage as MessagesUsage
from hypothesis import given
from hypothesis import strategies as st
from openai.types import ImageGenCompletedEvent, images_response
from openai.types.audio import transcription, transcription_text_done_event
from openai.types.completion_usage import (
    CompletionTokensDetails,
    CompletionUsage,
    PromptTokensDetails,
)
from openai.types.image_gen_completed_event import Usage as StreamedUsage
from openai.types.image_gen_completed_event import UsageInputTokensDetails
from pydantic import BaseModel

from gateway.generation import Extras, Usage
from gateway.metering.usage import read_usage


def read(usage: BaseModel) -> Usage:
    """As it is read from the wire."""
    found = read_usage(usage.model_dump(mode="json"))
    assert found is not None
    return found


def chat(prompt: PromptTokensDetails, completion: CompletionTokensDetails) -> CompletionUsage:
    return CompletionUsage(
        prompt_tokens=1000,
        completion_tokens=300,
        total_tokens=1300,
        prompt_tokens_details=prompt,
        completion_tokens_details=completion,
    )


def test_chat_with_audio() -> None:
    """gpt-4o-audio-preview: parts of both counts."""
    usage = chat(
        PromptTokensDetails(audio_tokens=800, cached_tokens=0, text_tokens=200),
        CompletionTokensDetails(audio_tokens=240, reasoning_tokens=0, text_tokens=60),
    )
    extras = Extras(prompt_audio_tokens=800, completion_audio_tokens=240)
    assert read(usage) == Usage(1000, 300, extras=extras)


def test_chat_with_images() -> None:
    """The SDK has them in the prompt; OpenRouter has them in a completion, too."""
    usage = chat(PromptTokensDetails(image_tokens=700), CompletionTokensDetails())
    assert read(usage) == Usage(1000, 300, extras=Extras(prompt_image_tokens=700))
    drawn = {"prompt_tokens": 9, "completion_tokens": 1300}
    details = {"completion_tokens_details": {"reasoning_tokens": 10, "image_tokens": 1290}}
    extras = Extras(completion_image_tokens=1290)
    assert read_usage({**drawn, **details}) == Usage(9, 1300, 10, extras=extras)


def test_chat_of_text_alone() -> None:
    """OpenAI sends zeros; a record of text has nothing for what is not there."""
    usage = chat(
        PromptTokensDetails(audio_tokens=0, cached_tokens=600, image_tokens=0),
        CompletionTokensDetails(audio_tokens=0, reasoning_tokens=20),
    )
    assert read(usage) == Usage(1000, 300, 20, 600)


def images(output: images_response.UsageOutputTokensDetails | None) -> images_response.Usage:
    return images_response.Usage(
        input_tokens=350,
        input_tokens_details=images_response.UsageInputTokensDetails(
            image_tokens=323, text_tokens=27
        ),
        output_tokens=1056,
        output_tokens_details=output,
        total_tokens=1406,
    )


def test_images() -> None:
    """gpt-image-1: what it saw, and what it drew; what it wrote is text."""
    details = images_response.UsageOutputTokensDetails(image_tokens=1000, text_tokens=56)
    extras = Extras(prompt_image_tokens=323, completion_image_tokens=1000)
    assert read(images(details)) == Usage(350, 1056, extras=extras)


def test_images_without_details_of_the_output() -> None:
    """All of it is the image: of the last event of a stream, OpenAI's types say so."""
    extras = Extras(prompt_image_tokens=323, completion_image_tokens=1056)
    assert read(images(None)) == Usage(350, 1056, extras=extras)
    event = ImageGenCompletedEvent(
        b64_json="",
        background="opaque",
        created_at=1,
        output_format="png",
        quality="high",
        size="1024x1024",
        type="image_generation.completed",
        usage=StreamedUsage(
            input_tokens=13,
            input_tokens_details=UsageInputTokensDetails(image_tokens=0, text_tokens=13),
            output_tokens=4160,
            total_tokens=4173,
        ),
    )
    expected = Usage(13, 4160, extras=Extras(completion_image_tokens=4160))
    assert read(event.usage) == expected


def test_transcriptions() -> None:
    """gpt-4o-transcribe: what was heard is in `input_token_details`, whole or streamed."""
    whole = transcription.UsageTokens(
        input_tokens=44,
        input_token_details=transcription.UsageTokensInputTokenDetails(
            audio_tokens=30, text_tokens=14
        ),
        output_tokens=12,
        total_tokens=56,
        type="tokens",
    )
    streamed = transcription_text_done_event.Usage(
        input_tokens=44,
        input_token_details=transcription_text_done_event.UsageInputTokenDetails(
            audio_tokens=30, text_tokens=14
        ),
        output_tokens=12,
        total_tokens=56,
        type="tokens",
    )
    expected = Usage(44, 12, extras=Extras(prompt_audio_tokens=30))
    assert [read(whole), read(streamed)] == [expected, expected]


def test_searches() -> None:
    """Anthropic's are in the usage, and so are OpenRouter's, under two names."""
    tools = ServerToolUsage(web_fetch_requests=2, web_search_requests=3)
    usage = MessagesUsage(input_tokens=5000, output_tokens=90, server_tool_use=tools)
    assert read(usage) == Usage(5000, 90, extras=Extras(web_searches=3))
    none = ServerToolUsage(web_fetch_requests=2, web_search_requests=0)
    assert read(usage.model_copy(update={"server_tool_use": none})) == Usage(5000, 90)
    for name in ("server_tool_use", "server_tool_use_details"):
        counts = {"prompt_tokens": 9, "completion_tokens": 4, name: {"web_search_requests": 1}}
        assert read_usage(counts) == Usage(9, 4, extras=Extras(web_searches=1))


@pytest.mark.parametrize(
    ("cached", "told", "audio", "image"),
    [
        (100, {}, 0, 0),
        (450, {}, 250, 0),
        (1000, {}, 500, 300),
        (450, {"audio_tokens": 400, "text_tokens": 50}, 400, 0),
        (450, {"image_tokens": 300, "text_tokens": 150}, 0, 300),
        (450, {"image_tokens": 100, "audio_tokens": 100}, 150, 100),
        (450, {"audio_tokens": 900}, 450, 0),
        (450, {"audio_tokens": "many"}, 250, 0),
    ],
    ids=["text", "rest", "all", "audio", "images", "too few", "too many", "nonsense"],
)
def test_what_was_cached(cached: int, told: dict[str, Any], audio: int, image: int) -> None:
    """Of 500 tokens of audio, 300 of an image and 200 of text: as told, and untold the text first,
    but never more of it than there is."""
    details = {
        "audio_tokens": 500,
        "image_tokens": 300,
        "cached_tokens": cached,
        "cached_tokens_details": told,
    }
    usage = {"input_tokens": 1000, "output_tokens": 1, "input_tokens_details": details}
    found = read_usage({**usage, "output_tokens_details": {}})
    assert found == Usage(1000, 1, 0, cached, extras=Extras(500, 300, audio, image))


counts = st.integers(0, 2000) | st.none() | st.just("x")
details = st.fixed_dictionaries(
    {},
    optional={
        "audio_tokens": counts,
        "image_tokens": counts,
        "cached_tokens": counts,
        "reasoning_tokens": counts,
        "cached_tokens_details": st.dictionaries(
            st.sampled_from(["audio_tokens", "image_tokens"]), counts
        ),
    },
)


@given(prompt=details, completion=details, whole=st.integers(0, 2000))
def test_a_part_is_never_larger_than_its_whole(
    prompt: dict[str, Any], completion: dict[str, Any], whole: int
) -> None:
    """Whatever the details say, they do not contradict the counts or one another."""
    counted = {"prompt_tokens": whole, "completion_tokens": whole}
    both = {"prompt_tokens_details": prompt, "completion_tokens_details": completion}
    found = read_usage({**counted, **both})
    assert found is not None
    extras = found.extras
    if extras is None:
        return
    audio, image = extras.prompt_audio_tokens, extras.prompt_image_tokens
    assert 0 <= extras.cached_audio_tokens <= audio
    assert 0 <= extras.cached_image_tokens <= image
    media_cached = extras.cached_audio_tokens + extras.cached_image_tokens
    assert 0 <= found.cached_tokens - media_cached <= whole - audio - image
    generated = extras.completion_audio_tokens + extras.completion_image_tokens
    assert 0 <= generated <= whole - found.reasoning_tokens
