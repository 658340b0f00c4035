"""The prompt cache finds again what a provider's would, and forgets what a provider's would."""

import pytest

from gateway.mock.promptcache import CacheUse, PromptCache
from gateway.mock.tokens import CHARACTERS
from tests.parts.clock import Clock


def text(tokens: int, letter: str = "a") -> str:
    """A prompt of `tokens` tokens."""
    return letter * (tokens * CHARACTERS)


@pytest.fixture
def cache(clock: Clock) -> PromptCache:
    return PromptCache(capacity=10_000, lifetime=300, clock=clock)


def test_a_prompt_is_found_again(cache: PromptCache) -> None:
    """The first use writes all whole steps, the second one reads them."""
    assert cache.use("m", text(1500)) == CacheUse(read=0, written=1408)
    assert cache.use("m", text(1500)) == CacheUse(read=1408, written=0)
    assert cache.tokens == 1408


@pytest.mark.parametrize(("tokens", "read"), [(1023, 0), (1024, 1024), (1151, 1024), (1152, 1152)])
def test_found_tokens_are_whole_steps_from_the_minimum_on(
    cache: PromptCache, tokens: int, read: int
) -> None:
    """1024 tokens are the least that is cached, then every 128 more."""
    cache.use("m", text(tokens))
    assert cache.use("m", text(tokens)).read == read


def test_a_short_prompt_is_not_even_stored(cache: PromptCache) -> None:
    """Below the minimum nothing is written, so a longer prompt finds nothing either."""
    assert cache.use("m", text(1000)) == CacheUse(read=0, written=0)
    assert cache.tokens == 0


def test_a_longer_conversation_reads_its_beginning(cache: PromptCache) -> None:
    """What was sent before is read, what is new is written."""
    cache.use("m", text(1280))
    assert cache.use("m", text(1280) + text(256, "b")) == CacheUse(read=1280, written=256)


def test_only_the_common_beginning_counts(cache: PromptCache) -> None:
    """A difference ends the match, whatever is the same behind it."""
    cache.use("m", text(1024) + text(128, "b") + text(512, "c"))
    assert cache.use("m", text(1024) + text(128, "x") + text(512, "c")).read == 1024
    assert cache.use("m", "x" + text(1664)).read == 0


def test_a_common_beginning_below_the_minimum_is_not_read(cache: PromptCache) -> None:
    """Two prompts that share 512 tokens share nothing in the cache."""
    cache.use("m", text(512) + text(1024, "b"))
    assert cache.use("m", text(512) + text(1024, "c")) == CacheUse(read=0, written=1536)


def test_scopes_share_nothing(cache: PromptCache) -> None:
    """The same prompt to another model is a new prompt."""
    cache.use("gpt-4o-mini", text(1024))
    assert cache.use("gpt-4.1-nano", text(1024)).read == 0


def test_a_prompt_lives_on_while_it_is_used(cache: PromptCache, clock: Clock) -> None:
    """Every use starts the lifetime anew; a pause that is longer ends it."""
    cache.use("m", text(1024))
    for _ in range(3):
        clock.now += 299
        assert cache.use("m", text(1024)).read == 1024
    clock.now += 301
    assert cache.use("m", text(1024)) == CacheUse(read=0, written=1024)


def test_an_unused_end_is_forgotten_before_its_beginning(cache: PromptCache, clock: Clock) -> None:
    """A beginning that is used again outlives the end that is not."""
    cache.use("m", text(2048))
    clock.now += 200
    cache.use("m", text(1024))
    clock.now += 200
    assert cache.use("m", text(2048)) == CacheUse(read=1024, written=1024)


def test_the_least_recently_used_prompt_goes_first() -> None:
    """With room for two prompts, the third one replaces the one that rested longest."""
    cache = PromptCache(capacity=2048, lifetime=300, clock=Clock())
    cache.use("m", text(1024, "a"))
    cache.use("m", text(1024, "b"))
    cache.use("m", text(1024, "a"))
    cache.use("m", text(1024, "c"))
    assert cache.tokens == 2048
    assert cache.use("m", text(1024, "a")).read == 1024
    assert cache.use("m", text(1024, "b")).read == 0


def test_a_prompt_too_big_for_the_cache_keeps_its_beginning() -> None:
    """Capacity is never exceeded, and what stays is the part that can be found again."""
    cache = PromptCache(capacity=1280, lifetime=300, clock=Clock())
    cache.use("m", text(4096))
    assert cache.tokens == 1280
    assert cache.use("m", text(4096)).read == 1280


def test_minimum_and_step_can_be_smaller() -> None:
    """A provider may cache shorter prompts than OpenAI, in smaller steps."""
    cache = PromptCache(capacity=1000, lifetime=300, clock=Clock(), minimum=32, step=16)
    cache.use("m", text(50))
    assert cache.use("m", text(50)) == CacheUse(read=48, written=0)
