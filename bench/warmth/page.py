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

What it is worth to keep every user at home: the same calls by several strategies, and how much of
their prompts a provider's cache still held. `make bench-warmth` writes the first part of this page
(about {minutes:.0f} minutes), `make bench-warmth-engines` the last one.

"""
_STUDY = """\
## Compared

{calls:,} calls of {users:,} users in {conversations:,} conversations, {hours:g} h of them, to five
providers; one dies after {begins:g} minutes and is back, with an empty cache, after {ends:g}.
Everything but the first {warm_up:g} minutes counts. With sticky routing {sticky} of all prompt
tokens were cached, with round robin {round_robin}: **{ratio:.1f} times as many, for {saved:.0f} %
less money**.

{compared}

![Cached share](warmth/cached.svg)

![Cached share over time](warmth/over-time.svg)

- **cached**: prompt tokens that came out of a provider's cache, of all prompt tokens.
- **cost**: at the catalogue's prices of `gpt-5-mini`, cached tokens and answers included.
- **p50, p95**: seconds from the call to the first token, tries at a dead provider included.
- **moves / user**: calls that another provider answered than the same user's last one.
- **at home**: by the ring's first choice. The rest is the dead provider's users while it is away.
- **cut**: calls whose answer had begun when the provider died. What had not begun to be answered
  went to the next candidate; calls that failed, by any strategy: {failed}.

{strategies}

## The workload

The calls are plain data, made once from a seed; each strategy gets the same ones at the same
moments. `python -m bench.warmth --record FILE` writes them, a JSON array a line (seconds, user,
conversation, tokens of the prompt's three parts, tokens of the answer), and `--replay FILE` takes
your own.

- **People.** {shape.users:,} users, popular by Zipf {shape.zipf:g}, each in one conversation at a
  time. Conversations begin at random ({shape.calls_per_second:g} calls/s in all), have
  {shape.turns:g} turns on average, and pause between turns for {shape.pause:g} s in the median,
  log-normally: most people answer within a minute, some come back after five.
- **Prompts.** {shape.shared} tokens of instructions that are the same for everyone, then what the
  application knows about the user (median {shape.profile:,} tokens: a profile, memories, a
  document), then the conversation, which grows by a question (median {shape.question}) and an
  answer (median {shape.answer}) each turn. {prompt:,.0f} tokens on average.
- **Caches.** Exact prefixes in steps of {hardware.step} tokens from {hardware.minimum:,} on, as
  OpenAI documents for its own; forgotten {idle:g} minutes after the last use, which is Anthropic's
  default and the lower end of OpenAI's in-memory cache; least recently used first when
  {hardware.cache:,} tokens are exceeded.
- **Providers.** Each stands for four 80 GB cards with an 8B model: 400,000 tokens of cache each are
  52 GB at 128 KiB a token (32 layers, 8 KV heads of 128, 16 bits), and 8,000 prompt tokens/s each
  are half of what 312 TFLOP/s could do at 16 GFLOP a token. Prompts are read one after the other,
  but for what is cached; answers are written side by side, {pace:g} ms a token and more the more
  there are.
- **Routing** is the gateway's own code on a clock by hand: ring, bounded load, ejection, probes
  every 10 s, slow start. The other strategies know who is well from the same records.

What the simulation leaves out: a provider has one queue and one cache, a call comes at its time
even if the one before is not answered yet, and a prompt is in the cache from the moment it is
accepted.

## What the ratio depends on

The same workload without the outage, {varied_minutes:g} minutes of it, one thing changed at a time.

{varied}

It is large where a provider's cache holds its own users' conversations but not everybody's, and it
grows with the number of providers. It is small where that makes little difference:

- where the caches have room for everybody, because they are large, the load is low, or pauses are
  short and few talk at a time; round robin then pays for each user once at every provider, and with
  nothing ever forgotten that is all it pays;
- where much of the prompt is the same for everyone: from {hardware.minimum:,} tokens on such a
  beginning is cached by itself, and any provider has it; this workload's {shape.shared} are below
  that;
- with few providers: of two, one in two calls finds its user's cache by luck.

## What spill is for

The same workload, with a batch job of one user on top: {batch.calls_per_second:g} calls/s for
{batch.seconds:g} s, each about another text of {batch.text:,} tokens, more than twice what one
provider can read. Counted are calls from its beginning until as long again after its end.

{crowded}

The default bound (`load_factor: 2.5`, `floor: 32`) is made for hosted providers, which have no
queue that one customer could fill: it protects warmth. In front of engines of your own that read
prompts one after the other, a `load_factor` near 1.25 keeps one user's batch from delaying
everybody at the same home. What it costs at other times is at most what *sticky, eager spill* loses
above, which has no floor either.

## Over real sockets

{small_calls:,} calls of the same kind, a tenth of the load on a tenth of the cache, sent through a
running gateway to five mock providers on a clock {speed:g} times as fast, one of which is shut down
and started again; and the same calls simulated. Round robin is the same gateway: each call names
the next provider as its first choice (`provider.order`).

{confirmed}

Simulated {date} on {machine.processor}, {machine.cores} cores, Python {machine.python}.

"""
_REAL = """\
## Real engines

{calls} calls of {users} users to {engines} llama.cpp servers with Gemma 3 270M (Q4_K_M) behind a
running gateway, two calls at a time; the engines are started afresh for each strategy. The
conversations are those of `hearth demo`: a system prompt of about 1,000 tokens of the user's own,
4 to 16 turns, users by Zipf; the answers in them are fixed beforehand so that every strategy sends
the same prompts. All figures are the engines' own: `usage.prompt_tokens_details.cached_tokens` and
`timings.prompt_ms`, the time to read what was not cached. With sticky routing {cached} of all
prompt tokens were cached, with round robin {cached_in_turn}, and the engines spent {saved:.0f} %
less time on reading prompts.

{table}

- **read s**: the sum of all `prompt_ms`: what the engines spent on reading prompts.

{strategies}

Each engine has one thread and four places for conversations of 4,096 tokens, so that the three of
them have room for all users once, and none has room for all of them. More memory would serve round
robin better than sticky routing, as in the table above; so would a beginning that all users share.

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
