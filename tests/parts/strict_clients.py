"""Other people's clients, made to raise on any answer that differs from their types."""

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI


def strict_claude(origin: str, api_key: str = "k") -> AsyncAnthropic:
    """Anthropic's; it sends its key in x-api-key."""
    return AsyncAnthropic(
        base_url=origin, api_key=api_key, max_retries=0, _strict_response_validation=True
    )


def strict_openai(url: str, api_key: str = "k") -> AsyncOpenAI:
    """OpenAI's; `url` ends in `/v1`."""
    return AsyncOpenAI(
        base_url=url, api_key=api_key, max_retries=0, _strict_response_validation=True
    )
