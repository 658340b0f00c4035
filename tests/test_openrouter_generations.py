"""Single generations and their list: who sees which, filters, pages and what is refused."""

from pathlib import Path
from urllib.parse import quote

import pytest

from gateway.api.openrouter.generations import get_generation, list_generations
from gateway.errors import BadRequest, NotFound, Unauthorized
from gateway.generation import Attempt, Extras, Flag, Generation, Usage
from tests.parts.asking import Asker, recording
from tests.parts.generations import DAY, generation, refusal

FLAG = Flag("policy_enforce_user_ids", "no user")


def some() -> list[Generation]:
    """Six of three tenants, newest last."""
    return [
        generation(1, user="user_1", model="small", provider="a"),
        generation(2, user="user_2", model="large", provider="b"),
        generation(3, user="user_1", model="large", provider="b", status=503, outcome="failed"),
        generation(4, tenant="other", user="user_1"),
        refusal(5),
        generation(6, outcome="cancelled", status=499, user="\u00fc b"),
    ]


def number(identifier: str) -> int:
    return int(identifier.rpartition("-")[2])


async def test_record(tmp_path: Path) -> None:
    """OpenRouter's fields with its units: ISO time, USD, milliseconds; `usage` is the cost."""
    full = generation(
        cost=1_234_567_890,
        cache_discount=-5_000_000,
        first_byte_ms=5,
        upstream_id="chatcmpl-1",
        session_id="s",
        streamed=True,
        finish_reason="stop",
        usage=Usage(10, 5, 2, 4, service_tier="flex"),
        attempts=(Attempt("b", "large", 503, None, 3), Attempt("a", "small", 200, None, 20)),
        user_agent="sdk/1",
        referer="https://app.example",
    )
    async with recording(tmp_path, [full]) as context:
        data = (await Asker(context, get_generation, "generation").json(f"id={full.id}"))["data"]
    assert data["created_at"] == "2024-10-04T00:00:01.000000+00:00"
    assert (data["external_user"], data["session_id"]) == ("user_1", "s")
    assert (data["usage"], data["total_cost"], data["cache_discount"]) == (
        *(1.23456789, 1.23456789),
        -0.005,
    )
    assert (data["latency"], data["generation_time"]) == (20, 15)
    assert (data["native_tokens_prompt"], data["native_tokens_completion"]) == (10, 5)
    assert (data["native_tokens_reasoning"], data["native_tokens_cached"]) == (2, 4)
    assert data["service_tier"] == "flex"
    tries = [(one["provider_name"], one["status"]) for one in data["provider_responses"]]
    assert tries == [("b", 503), ("a", 200)]
    assert [one.get("id") for one in data["provider_responses"]] == [None, "chatcmpl-1"]
    assert (data["http_referer"], data["user_agent"]) == ("https://app.example", "sdk/1")


async def test_record_of_what_is_not_text(tmp_path: Path) -> None:
    """Images that were generated under OpenRouter's name, the rest under Hearth's; null where
    nobody tells, as of a call that is text alone, or of how many pictures there were."""
    extras = Extras(90, 80, 70, 60, 50, 40, web_searches=2)
    calls = [generation(1), generation(2, usage=Usage(200, 100, 0, 130, extras=extras))]
    async with recording(tmp_path, calls) as context:
        asker = Asker(context, list_generations, "generations")
        told, text = (await asker.json(""))["data"]
    images = "native_tokens_completion_images"
    assert (told[images], text[images]) == (40, None)
    names = (
        *("prompt_audio_tokens", "prompt_image_tokens", "cached_audio_tokens"),
        *("cached_image_tokens", "completion_audio_tokens", "web_searches"),
    )
    assert [told["hearth"][name] for name in names] == [90, 80, 70, 60, 50, 2]
    assert [text["hearth"][name] for name in names] == [0] * 6
    unknown = ("num_media_prompt", "num_media_completion", "num_search_results")
    assert [told[name] for name in unknown] == [None] * 3


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        *(
            ("stop", "stop"),
            ("end_turn", "stop"),
            ("completed", "stop"),
            ("tool_use", "tool_calls"),
        ),
        *(("max_tokens", "length"), ("model_context_window_exceeded", "length")),
        *(("refusal", "content_filter"), ("failed", "error"), ("new", "new"), (None, None)),
    ],
)
async def test_finish_reason(tmp_path: Path, native: str | None, reason: str | None) -> None:
    """In OpenRouter's words, whichever API was called, and in the provider's own."""
    call = generation(finish_reason=native)
    async with recording(tmp_path, [call]) as context:
        data = (await Asker(context, get_generation, "generation").json(f"id={call.id}"))["data"]
    assert (data["finish_reason"], data["native_finish_reason"]) == (reason, native)


async def test_found_by_either_id(tmp_path: Path) -> None:
    """Our id finds it, and the provider's finds the newest that has it."""
    twins = [generation(1, upstream_id="up"), generation(2, upstream_id="up")]
    async with recording(tmp_path, twins) as context:
        asker = Asker(context, get_generation, "generation")
        assert number((await asker.json(f"id={twins[0].id}"))["data"]["id"]) == 1
        assert number((await asker.json("id=up"))["data"]["id"]) == 2


@pytest.mark.parametrize(
    ("query", "key", "error"),
    [
        ("", "sk-app", BadRequest),
        ("id=", "sk-app", BadRequest),
        ("id=x&id=y", "sk-app", BadRequest),
        ("id=x&verbose=1", "sk-app", BadRequest),
        ("id=gen-nobody", "sk-app", NotFound),
        (f"id={generation(4).id}", "sk-app", NotFound),
        (f"id={generation(4).id}", "sk-nobody", Unauthorized),
    ],
)
async def test_not_shown(tmp_path: Path, query: str, key: str, error: type[Exception]) -> None:
    """Without an id, of nobody, of another tenant, or for a key nobody knows: an error."""
    async with recording(tmp_path, some()) as context:
        with pytest.raises(error):
            await Asker(context, get_generation, "generation").answer(query, key)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [6, 5, 4, 3, 2, 1]),
        ("user=user_1", [4, 3, 1]),
        (f"user={quote(chr(0xFC) + ' b')}", [6]),
        ("model=large", [3, 2]),
        ("provider=b&user=user_2", [2]),
        ("status=503", [3]),
        ("status=cancelled", [6]),
        ("status=refused", [5]),
        ("flagged=true", [5]),
        ("flagged=false&limit=2", [6, 4]),
        (f"since={DAY * 86400 + 5}", [6, 5]),
        ("until=2024-10-04T00:00:03Z", [2, 1]),
        ("since=2024-10-04T00:00:02Z&until=2024-10-04T02:00:04%2B02:00", [3, 2]),
        ("key=other", [4]),
        ("user=nobody", []),
        ("no_user=true", [5]),
        ("no_user=true&status=422&key=other", []),
    ],
)
async def test_filters(tmp_path: Path, query: str, found: list[int]) -> None:
    """Each keeps what it names, together they keep what all name, newest first."""
    async with recording(tmp_path, some()) as context:
        page = await Asker(context, list_generations, "generations").json(query)
    assert [number(one["id"]) for one in page["data"]] == found


async def test_a_client_key_sees_its_own(tmp_path: Path) -> None:
    """Another tenant's records do not exist for it, not even when it names the tenant."""
    async with recording(tmp_path, some()) as context:
        asker = Asker(context, list_generations, "generations")
        assert [number(one["id"]) for one in (await asker.json("", "sk-other"))["data"]] == [4]
        assert (await asker.json("key=app", "sk-other"))["data"] == []
        assert len((await asker.json("", "sk-app"))["data"]) == 5


@pytest.mark.parametrize("limit", [1, 3, 7, 23])
async def test_pages(tmp_path: Path, limit: int) -> None:
    """The cursor leads through all, none twice, also where many share a moment; the last page has
    none."""
    same = generation(1).created_at
    many = [generation(index, created_at=same + index // 5) for index in range(1, 24)]
    seen: list[int] = []
    async with recording(tmp_path, many) as context:
        asker = Asker(context, list_generations, "generations")
        query = f"limit={limit}"
        while query:
            page = await asker.json(query)
            assert 0 < len(page["data"]) <= limit
            seen += [number(one["id"]) for one in page["data"]]
            query = f"limit={limit}&cursor={page['next']}" if page["next"] else ""
    assert seen == list(range(23, 0, -1))


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=1001", "limit=many", "flagged=yes", "since=yesterday"),
        *("status=fine", "status=42", "status=600", "since=2024-10-05&until=2024-10-04"),
        *("cursor=%21%21", "cursor=bm9wZQ", "users=a", "user=a&user=b"),
        *("no_user=false", "no_user=true&user=a", "format=pdf"),
        "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5Omdlbg",
    ],
)
async def test_refused_queries(tmp_path: Path, query: str) -> None:
    """A parameter that is unknown, twice there or of the wrong form is a 400, never ignored."""
    async with recording(tmp_path) as context:
        with pytest.raises(BadRequest):
            await Asker(context, list_generations, "generations").answer(query)
