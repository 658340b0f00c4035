"""What of a usage is not text: tokens of audio and of images, and searches of the web.

Details name the tokens in Chat (openai `types/completion_usage.py`; those of images in a completion
are OpenRouter's), for images (`types/images_response.py`) and for transcriptions
(`types/audio/transcription.py`).
"""

from msgspec.structs import replace

from gateway.generation import Extras, Usage
from gateway.metering.json_object import JsonObject, count, part


def with_extras(
    usage: Usage, prompt: JsonObject | None, completion: JsonObject | None, searches: int
) -> Usage:
    """`usage` with what else was used, if anything was; `prompt` and `completion` are the details
    of its tokens."""
    heard, seen = count(prompt, "audio_tokens"), count(prompt, "image_tokens")
    spoken, drawn = count(completion, "audio_tokens"), count(completion, "image_tokens")
    if heard + seen + spoken + drawn + searches == 0:
        return usage
    heard, seen = _within(usage.prompt_tokens, heard, seen)
    cached_audio, cached_image = _cached(usage, part(prompt, "cached_tokens_details"), heard, seen)
    spoken, drawn = _within(usage.completion_tokens - usage.reasoning_tokens, spoken, drawn)
    extras = Extras(heard, seen, cached_audio, cached_image, spoken, drawn, searches)
    return usage if extras == Extras() else replace(usage, extras=extras)


def _cached(usage: Usage, told: JsonObject | None, audio: int, image: int) -> tuple[int, int]:
    """Cached tokens of audio and of images: as they are told, but not so few that more text would
    have been cached than there was. Untold, the text is taken to have been cached first, by which
    nothing comes out too cheap."""
    cached = usage.cached_tokens
    least = max(0, cached - (usage.prompt_tokens - audio - image))
    told_audio, told_image = count(told, "audio_tokens"), count(told, "image_tokens")
    told_audio, told_image = _within(cached, told_audio, told_image)
    cached_image = min(told_image, image)
    cached_audio = min(max(told_audio, least - cached_image), audio)
    return cached_audio, max(cached_image, least - cached_audio)


def _within(whole: int, audio: int, image: int) -> tuple[int, int]:
    """Parts that are together no larger than their whole."""
    audio = min(audio, whole)
    return audio, min(image, whole - audio)
