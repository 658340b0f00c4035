"""docs/warmth.md out of the results that are in docs/warmth/, each from a run of its own."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from bench.table import markdown
from bench.warmth import tables
from bench.warmth.engines.results import EngineResults
from bench.warmth.plot import plot_over_time, plot_shares
from bench.warmth.results import Results

_SIMULATION = "simulation.json"
_ENGINES = "engines.json"
_IN_PLOT = ("sticky", "sticky, eager spill", "round robin", "least loaded")

_HEAD = """\
# Warmth

What keeping every user at one provider is worth: the same calls routed by several strategies, and
how many of their prompt tokens came from a provider's cache. `make bench-warmth` writes the first
part of this page (about {minutes:.0f} minutes), `make bench-warmth-engines` the last section.

"""
_STUDY = """\
## The strategies compared

{calls:,} calls of {users:,} users in {conversations:,} conversations, sent within {hours:g} h to
five providers. One of them dies after {begins:g} minutes and is back, with an empty cache, after
{ends:g}. The first {warm_up:g} minutes do not count. With sticky routing {sticky} of all prompt
tokens were cached, with round robin {round_robin}: **{ratio:.1f} times as many, for {saved:.0f} %
less money**.

{compared}

![Cached share](warmth/cached.svg)

![Cached share over time](warmth/over-time.svg)

- **cached**: the share of prompt tokens that came from a provider's cache.
- **cost**: at the catalogue's prices of `gpt-5-mini`, cached tokens and answers included.
- **p50, p95**: seconds from the call to the first token, tries at a dead provider included.
- **moves / user**: calls answered by another provider than the same user's call before.
- **at home**: calls answered by the ring's first choice. The rest are those of the dead provider's
  users until all of them are back, and with eager spill those that were sent on.
- **cut**: calls whose answer had begun when the provider died. Calls whose answer had not begun
  went to the next candidate. Failed calls, over all strategies: {failed}.

{strategies}

## The workload

The calls are generated once from a seed; each strategy gets the same calls at the same times.
`python -m bench.warmth --record FILE` writes them, one JSON array per line (seconds, user,
conversation, tokens of the prompt's three parts, tokens of the answer), and `--replay FILE` reads
your own.

- **Users.** {shape.users:,} users, whose popularity follows Zipf's law with exponent
  {shape.zipf:g}, each in one conversation at a time. Conversations begin at random
  ({shape.calls_per_second:g} calls/s in all) and have {shape.turns:g} turns on average. The pause
  between turns is log-normal with a median of {shape.pause:g} s: most people answer within a
  minute, some come back after five.
- **Prompts.** {shape.shared} tokens of instructions that are the same for everyone, then what the
  application knows about the user (median {shape.profile:,} tokens: a profile, memories, a
  document), then the conversation, which grows by a question (median {shape.question}) and an
  answer (median {shape.answer}) each turn. {prompt:,.0f} tokens on average.
- **Caches.** They match exact prefixes in steps of {hardware.step} tokens, from
  {hardware.minimum:,} on, as OpenAI documents for its own. Entries expire {idle:g} minutes after
  their last use, which is Anthropic's default and the lower end of OpenAI's in-memory cache.
  Beyond {hardware.cache:,} tokens the least recently used entry goes first.
- **Providers.** Each stands for four 80 GB cards with an 8B model. 400,000 tokens of cache per
  card are 52 GB at 128 KiB a token (32 layers, 8 KV heads of 128, 16 bits); 8,000 prompt tokens/s
  per card are half of what 312 TFLOP/s could do at 16 GFLOP a token. Prompts are read one after
  the other, except for what is cached; answers are generated side by side, at {pace:g} ms a token,
  and more slowly the more there are.
- **Routing** is the gateway's own code on a simulated clock: ring, bounded load, ejection, probes
  every 10 s, slow start. The other strategies learn which providers are well from the same health
  records.

Simplifications: a provider has one queue and one cache, a call is sent at its time even if the
call before it is not answered yet, and a prompt is in the cache from the moment it is accepted.

## What the ratio depends on

The same workload without the outage, {varied_minutes:g} minutes of it, with one thing changed at a
time.

{varied}

The ratio is large when a provider's cache holds the conversations of its own users but not
everybody's, and it grows with the number of providers. It is small:

- when the caches have room for everybody, because they are large, the load is low, or pauses are
  short and few users talk at a time. Round robin then pays once for each user at every provider;
  if nothing is ever forgotten, that is all it pays;
- when much of the prompt is the same for everyone. From {hardware.minimum:,} tokens on such a
  beginning is cached by itself, and every provider has it; the {shape.shared} tokens of this
  workload are too few;
- with few providers: with two, every second call finds its user's cache by luck.

## What spill is for

The same workload plus a batch job of one user: {batch.calls_per_second:g} calls/s for
{batch.seconds:g} s, each about another text of {batch.text:,} tokens, more than twice what one
provider can read. Calls count from the start of the job until twice its length has passed.

{crowded}

The default bound (`load_factor: 2.5`, `floor: 32`) suits hosted providers, which have no queue
that one customer could fill: it protects warmth. In front of engines of your own that read prompts
one after the other, a `load_factor` near 1.25 keeps one user's batch from delaying everyone at the
same home. At other times it costs at most what *sticky, eager spill* loses above, which has no
floor either.

## Over real sockets

{small_calls:,} calls of the same kind, with a tenth of the load and a tenth of the cache, sent
through a running gateway to five mock providers on a clock {speed:g} times as fast, one of which
is stopped and started again; beside it, the same calls simulated. Round robin uses the same
gateway: each call names the next provider as its first choice (`provider.order`). Here, too, the
first minutes do not count.

{confirmed}

Simulated {date} on {machine.processor}, {machine.cores} cores, Python {machine.python}.

"""
_REAL = """\
## Real engines

{calls} calls of {users} users to {engines} llama.cpp servers with Gemma 3 270M (Q4_K_M) behind a
running gateway, two calls at a time; the engines are restarted for each strategy. The
conversations are those of `hearth demo`: a system prompt of about 1,000 tokens for each user, 4 to
16 turns, users by Zipf's law. The answers in them are fixed beforehand, so that every strategy
sends the same prompts. All figures are the engines' own:
`usage.prompt_tokens_details.cached_tokens`, and `timings.prompt_ms`, the time to read what was not
cached. With sticky routing {cached} of all prompt tokens were cached, with round robin
{cached_in_turn}, and the engines spent {saved:.0f} % less time reading prompts.

{table}

- **read s**: the sum of all `prompt_ms`, which is the time the engines spent reading prompts.

{strategies}

Each engine has one thread and room for four conversations of 4,096 tokens: together they have room
for every user once, and none has room for all users. More memory would help round robin more than
sticky routing, as in the table above, and so would a beginning that all users share.

Measured {date} on {machine.processor}, {machine.cores} cores, with {versions}, built with
`GGML_NATIVE=OFF`; `llama-server` ran with

```
{flags}
```
"""


def write(
    docs: Path, *, simulation: Results | None = None, engines: EngineResults | None = None
) -> None:
    """The page, with these results in the place of the former ones of their kind."""
    folder = docs / "warmth"
    folder.mkdir(parents=True, exist_ok=True)
    for name, results in ((_SIMULATION, simulation), (_ENGINES, engines)):
        if results is not None:
            raw = msgspec.json.format(msgspec.json.encode(results), indent=1)
            (folder / name).write_bytes(raw + b"\n")
    (docs / "warmth.md").write_text(_page(folder))


def _page(folder: Path) -> str:
    """What is there of the parts."""
    simulation, engines = folder / _SIMULATION, folder / _ENGINES
    minutes, parts = 0.0, ""
    if simulation.exists():
        results = msgspec.json.decode(simulation.read_bytes(), type=Results)
        minutes = results.took / 60
        _plot(folder, results)
        parts += _study(results)
    if engines.exists():
        parts += _real(msgspec.json.decode(engines.read_bytes(), type=EngineResults))
    return _HEAD.format(minutes=max(1.0, minutes)) + parts.rstrip() + "\n"


def _study(results: Results) -> str:
    plan, workload, hardware = results.plan, results.workload, results.hardware
    of = {row.name: row.summary for row in results.rows}
    sticky, in_turn = of["sticky"], of["round robin"]
    return _STUDY.format(
        calls=workload.calls,
        users=workload.users,
        conversations=workload.conversations,
        hours=plan.shape.seconds / 3600,
        begins=plan.outage.begins / 60,
        ends=plan.outage.ends / 60,
        warm_up=plan.warm_up / 60,
        failed=sum(row.summary.failed for row in results.rows),
        sticky=tables.percent(sticky.cached_share),
        round_robin=tables.percent(in_turn.cached_share),
        ratio=sticky.cached_share / in_turn.cached_share,
        saved=100 * (1 - sticky.cost / in_turn.cost),
        compared=markdown(*tables.compared(results.rows)),
        strategies=_list((row.name, row.does) for row in results.rows),
        shape=plan.shape,
        prompt=workload.tokens / workload.calls,
        hardware=hardware,
        idle=hardware.lifetime / 60,
        pace=hardware.pace * 1000,
        varied_minutes=plan.varied.seconds / 60,
        varied=markdown(*tables.varied(results.variations)),
        batch=plan.batch,
        crowded=markdown(*tables.crowded(results.batch)),
        small_calls=results.confirmations[0].sent.calls,
        speed=results.speed,
        confirmed=markdown(*tables.confirmed(results.confirmations)),
        date=results.date,
        machine=results.machine,
    )


def _real(results: EngineResults) -> str:
    of = {row.name: row for row in results.rows}
    sticky, in_turn = of["sticky"], of["round robin"]
    return _REAL.format(
        cached=tables.percent(sticky.cached_share),
        cached_in_turn=tables.percent(in_turn.cached_share),
        saved=100 * (1 - sticky.read_seconds / in_turn.read_seconds),
        calls=results.calls,
        users=results.users,
        engines=results.engines,
        table=markdown(*tables.engines(results.rows)),
        strategies=_list((row.name, row.does) for row in results.rows),
        date=results.date,
        machine=results.machine,
        versions=" and ".join(f"{name} {version}" for name, version in results.versions.items()),
        flags=" ".join(results.flags),
    )


def _list(items: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- *{name}*: {what}." for name, what in items)


def _plot(folder: Path, results: Results) -> None:
    outage = results.plan.outage
    plot_shares(
        folder / "cached.svg",
        "% of prompt tokens out of a cache",
        {row.name: row.summary.cached_share for row in results.rows},
    )
    plot_over_time(
        folder / "over-time.svg",
        "% of prompt tokens out of a cache, one of five providers dead for a while",
        {row.name: row.over_time for row in results.rows if row.name in _IN_PLOT},
        {"it dies": outage.begins, "it is back": outage.ends},
    )
