"""Sample users who talk to a model: whom the demo and the benchmarks act for.

A few of them talk a lot and many a little (Zipf's law), and every conversation grows by what was
asked and answered, so that it only stays cheap where its prompt cache is. Nothing here does I/O:
ask for the next turn, send it, and bring the answer back.
"""

from itertools import accumulate
from random import Random

import msgspec

from gateway.demo.phrases import DAYS, NOTES, QUESTIONS, ROLES, SUBJECTS, USERS

_NOTES_A_DAY = 10
_SHORTEST, _LONGEST = 4, 16


class Message(msgspec.Struct, frozen=True):
    """One message of a conversation, in OpenAI's shape."""

    role: str
    content: str


class Turn(msgspec.Struct, frozen=True):
    """What `user` sends next: the whole conversation so far, the new question last.

    `pause` is how long to wait before sending it, with a mean of 1 in whatever unit the sender
    likes.
    """

    user: str
    messages: tuple[Message, ...]
    pause: float


class Conversation:
    """What one user and the model said to each other, after the system prompt.

    After `length` answers it starts over: same user, same system prompt, nothing else.
    """

    def __init__(self, system: str, length: int) -> None:
        self.messages: tuple[Message, ...] = (Message("system", system),)
        self._opening = self.messages
        self._length = length
        self.waiting = False

    def ask(self, question: str) -> None:
        """Add a question; it waits for its answer."""
        if 2 * self._length < len(self.messages):
            self.messages = self._opening
        self.messages += (Message("user", question),)
        self.waiting = True

    def hear(self, answer: str) -> None:
        """Add the answer to the waiting question."""
        self.messages += (Message("assistant", answer),)
        self.waiting = False

    def give_up(self) -> None:
        """Take the waiting question back, as if it had never been asked."""
        self.messages = self.messages[:-1]
        self.waiting = False


class Traffic:
    """The turns of all `users`, the first of whom talks the most; one seed, one sequence."""

    def __init__(self, seed: int = 0, users: tuple[str, ...] = USERS) -> None:
        self._dice = Random(seed)
        self._popularity = {user: 1 / rank for rank, user in enumerate(users, start=1)}
        self.conversations = {user: self._begin(user) for user in users}

    def next_turn(self) -> Turn | None:
        """The next request, of a user who waits for no answer; None when everyone waits."""
        free = [user for user, talk in self.conversations.items() if not talk.waiting]
        if not free:
            return None
        weights = list(accumulate(self._popularity[user] for user in free))
        [user] = self._dice.choices(free, cum_weights=weights)
        conversation = self.conversations[user]
        conversation.ask(self._question())
        return Turn(user, conversation.messages, self._dice.expovariate(1))

    def settle(self, turn: Turn, answer: str | None) -> None:
        """Bring back the text that `turn` was answered with, or None when it was not."""
        conversation = self.conversations[turn.user]
        if answer is None:
            conversation.give_up()
        else:
            conversation.hear(answer)

    def _begin(self, user: str) -> Conversation:
        role = self._dice.choice(ROLES).format(user=user)
        notes = (" ".join((f"{day}:", *self._dice.sample(NOTES, _NOTES_A_DAY))) for day in DAYS)
        return Conversation("\n".join((role, *notes)), self._dice.randint(_SHORTEST, _LONGEST))

    def _question(self) -> str:
        return self._dice.choice(QUESTIONS).format(subject=self._dice.choice(SUBJECTS))
