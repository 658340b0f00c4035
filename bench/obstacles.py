"""What stands in the way of the goals that are hardest to reach, in the run's own figures."""

from collections.abc import Sequence

from bench.goals import growths
from bench.medians import chunk_system, chunk_user, cpu, median_of
from bench.results import Pass, Results
from bench.spread import Spread
from bench.table import number, times

_ROUTER = """\
1/2.5 of the vLLM router's CPU would be {goal} µs a request. Of Hearth's {ours} the kernel takes
{kernel} and shipping to the store {shipping}; nginx, which reads no body, knows no user and counts
nothing, takes {nginx} in all."""

_CHUNK = """\
Of the CPU of an SSE chunk the kernel takes {ours} µs in Hearth, {router} in the vLLM router and
{nginx} in nginx, for the same: a read and a write. Their own code takes {ours_own}, {router_own}
and {nginx_own}."""

_GROWTH = """\
From 3 to 100 providers HAProxy's cost is {providers}, and from 1 to 1,000,000 users {users}, by the
same measure. With more providers the same calls come over more sockets, and the kernel is asked
more often for less. With more users shipping has more to write: the records of a batch that are all
of one user change that user's counters once."""


def paragraphs(results: Results) -> str:
    """Markdown; nothing where a program that it speaks of was not measured."""
    passes = {subject.name: subject.passes for subject in results.subjects}
    found = (_router(results, passes), _chunk(passes), _growth(results))
    return "\n\n".join(text for text in found if text)


def _router(results: Results, passes: dict[str, list[Pass]]) -> str:
    names = ("Hearth", "vLLM router", "nginx")
    ours, router, nginx = (median_of(cpu, passes.get(name, ())) for name in names)
    if ours is None or router is None or nginx is None:
        return ""
    kernel = median_of(lambda p: p.requests.system, passes["Hearth"]) or 0.0
    shipping = sum(step.cost for step in results.steps if step.name.startswith("ship"))
    return _ROUTER.format(
        goal=number(router / 2.5),
        ours=number(ours),
        kernel=number(kernel),
        shipping=number(shipping),
        nginx=number(nginx),
    )


def _chunk(passes: dict[str, list[Pass]]) -> str:
    names = {"ours": "Hearth", "router": "vLLM router", "nginx": "nginx"}
    kernel = {key: median_of(chunk_system, passes.get(name, ())) for key, name in names.items()}
    own = {f"{key}_own": median_of(chunk_user, passes.get(name, ())) for key, name in names.items()}
    figures = {key: number(value) for key, value in (kernel | own).items() if value is not None}
    return _CHUNK.format(**figures) if len(figures) == 2 * len(names) else ""


def _growth(results: Results) -> str:
    providers = growths(results.growth, "HAProxy", "providers")
    users = growths(results.growth, "HAProxy", "users")
    if not providers or not users:
        return ""
    return _GROWTH.format(providers=_middle(providers), users=_middle(users))


def _middle(ratios: Sequence[float]) -> str:
    return times(Spread.of(ratios).median)
