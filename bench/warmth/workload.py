"""The calls that every strategy gets: users in conversations that grow, as plain data.

A prompt is three parts in a row: what the application tells every user (`shared`), what it knows
about this one (`profile`), and the conversation so far (`history`). The first part is warm wherever
anybody was, the second where this user was, the third where this conversation was.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import log
from pathlib import Path
from random import Random

import msgspec

_DRAWS = 100
"""Tries to find a user who is in no conversation."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what: seconds, and tokens. `turns` is a mean; `pause`, `profile`, `question` and
    `answer` are medians of log-normal distributions, as people's pauses and texts have long tails.
    """

    users: int = 20_000
    zipf: float = 1.1
    calls_per_second: float = 20.0
    seconds: float = 3600.0
    turns: float = 8.0
    pause: float = 45.0
    shared: int = 512
    profile: int = 2000
    question: int = 60
    answer: int = 250


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One call, `at` seconds after the start; `conversation` is a number of its own among all.

    `shared`, `profile` and `history` are the tokens of the prompt's parts, `answer` those of the
    answer, which is part of the next call's history.
    """

    at: float
    user: int
    conversation: int
    shared: int
    profile: int
    history: int
    answer: int

    @property
    def prompt(self) -> int:
        """Tokens of the whole prompt."""
        return self.shared + self.profile + self.history

    def blocks(self, step: int) -> list[tuple[int, int, int]]:
        """Names of the prompt's whole blocks of `step` tokens: equal if all up to there is equal.

        A block belongs to the part in which it ends.
        """
        ends = range(step, self.prompt + 1, step)
        return [(*self._owner(end), end) for end in ends]

    def _owner(self, end: int) -> tuple[int, int]:
        if end <= self.shared:
            return 0, 0
        if end <= self.shared + self.profile:
            return 1, self.user
        return 2, self.conversation


def make_calls(shape: Shape, seed: int = 0) -> list[Call]:
    """The calls of `shape` in the order of their time; one seed, one workload.

    Conversations begin at random; who begins one is drawn by popularity among those who are in
    none, as people talk in one at a time. Where nearly everyone is, some do not begin.
    """
    dice = Random(seed)
    popularity = list(accumulate(rank**-shape.zipf for rank in range(1, shape.users + 1)))
    profiles = [_length(dice, shape.profile) for _ in range(shape.users)]
    busy_until = [0.0] * shape.users
    calls: list[Call] = []
    for conversation, moment in enumerate(_beginnings(dice, shape)):
        drawn = (_draw(dice, popularity) for _ in range(_DRAWS))
        user = next((each for each in drawn if busy_until[each] <= moment), None)
        if user is None:
            continue
        turns = list(_turns(dice, shape, moment, (user, conversation), profiles[user]))
        busy_until[user] = turns[-1].at + shape.pause
        calls += turns
    return sorted((call for call in calls if call.at < shape.seconds), key=lambda call: call.at)


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A user's batch job: calls at a steady rate, each about another text of `text` tokens."""

    user: int
    begins: float
    seconds: float
    calls_per_second: float
    text: int
    answer: int


def with_batch(calls: Iterable[Call], batch: Batch) -> list[Call]:
    """`calls` and those of the batch, in the order of their time."""
    count = round(batch.seconds * batch.calls_per_second)
    jobs = (
        Call(
            at=batch.begins + number / batch.calls_per_second,
            user=batch.user,
            conversation=-1 - number,
            shared=0,
            profile=0,
            history=batch.text,
            answer=batch.answer,
        )
        for number in range(count)
    )
    return sorted((*calls, *jobs), key=lambda call: call.at)


def write_calls(path: Path, calls: Iterable[Call]) -> None:
    """One JSON array a line, in the order of the fields of Call."""
    path.write_bytes(b"".join(msgspec.json.encode(call) + b"\n" for call in calls))


def read_calls(path: Path) -> list[Call]:
    """What `write_calls` wrote, or any other recording in its form; ValueError names the line."""
    decoder = msgspec.json.Decoder(Call)
    calls: list[Call] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            calls.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    return sorted(calls, key=lambda call: call.at)


def _beginnings(dice: Random, shape: Shape) -> Iterator[float]:
    """When conversations begin: a Poisson process."""
    moment = 0.0
    while (moment := moment + dice.expovariate(shape.calls_per_second / shape.turns)) < (
        shape.seconds
    ):
        yield moment


def _draw(dice: Random, popularity: Sequence[float]) -> int:
    return bisect_left(popularity, dice.random() * popularity[-1])


def _turns(
    dice: Random, shape: Shape, begins: float, who: tuple[int, int], profile: int
) -> Iterator[Call]:
    moment, history = begins, 0
    for _ in range(_geometric(dice, shape.turns)):
        history += _length(dice, shape.question)
        answer = _length(dice, shape.answer)
        yield Call(moment, *who, shape.shared, profile, history, answer)
        history += answer
        moment += dice.lognormvariate(log(shape.pause), 0.9)


def _length(dice: Random, median: int) -> int:
    """At least one token, at most thirty times the median."""
    return min(30 * median, max(1, round(dice.lognormvariate(log(median), 0.8))))


def _geometric(dice: Random, mean: float) -> int:
    """At least 1; each further turn is as likely as the one before."""
    return 1 + int(log(1 - dice.random()) / log(1 - 1 / mean)) if mean > 1 else 1
