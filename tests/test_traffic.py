"""Sample users talk the way that makes sticky routing worth it."""

from collections import Counter

from gateway.demo.phrases import USERS
from gateway.demo.traffic import Message, Traffic, Turn
from gateway.mock.tokens import count_tokens


def turns(traffic: Traffic, number: int) -> list[Turn]:
    """The next `number` turns, each answered before the next is asked for."""
    taken = []
    for index in range(number):
        turn = traffic.next_turn()
        assert turn is not None
        traffic.settle(turn, f"answer {index}")
        taken.append(turn)
    return taken


def test_one_seed_is_one_sequence() -> None:
    """The same seed asks the same questions in the same order; another seed does not."""
    assert turns(Traffic(seed=7), 50) == turns(Traffic(seed=7), 50)
    assert turns(Traffic(seed=7), 50) != turns(Traffic(seed=8), 50)


def test_there_are_two_dozen_users() -> None:
    """User ids are distinct and look like ids."""
    assert len(set(USERS)) == 24
    assert all(user.startswith("user_") for user in USERS)


def test_few_users_talk_a_lot() -> None:
    """By Zipf's law the first of 24 users makes about a quarter of all requests."""
    counts = Counter(turn.user for turn in turns(Traffic(), 4000))
    assert set(counts) == set(USERS)
    assert 0.23 < counts[USERS[0]] / 4000 < 0.30
    assert counts[USERS[0]] > counts[USERS[3]] > counts[USERS[20]]


def test_a_conversation_grows_by_question_and_answer() -> None:
    """A turn begins with everything that was said before it."""
    first, second = turns(Traffic(users=("user_anna",)), 2)
    assert [message.role for message in first.messages] == ["system", "user"]
    said = Message("assistant", "answer 0")
    assert second.messages[:-1] == (*first.messages, said)
    assert second.messages[-1].role == "user"


def test_a_conversation_starts_over() -> None:
    """It ends after at most sixteen answers and goes on with the same system prompt."""
    taken = turns(Traffic(users=("user_anna",)), 100)
    lengths = [len(turn.messages) for turn in taken]
    assert 8 <= max(lengths) <= 32
    assert lengths.count(2) >= 100 // 16
    assert len({turn.messages[0] for turn in taken}) == 1


def test_every_user_has_a_system_prompt_of_their_own() -> None:
    """It has more tokens than a cache asks for, and differs from the first words on."""
    prompts = {user: talk.messages[0].content for user, talk in Traffic().conversations.items()}
    assert all(user in prompt[:80] for user, prompt in prompts.items())
    assert all(1024 <= count_tokens(prompt) <= 2048 for prompt in prompts.values())


def test_a_user_waits_for_the_answer() -> None:
    """No one has two requests under way; when everyone waits there is no next turn."""
    traffic = Traffic(users=("user_anna", "user_bela"))
    first, second = traffic.next_turn(), traffic.next_turn()
    assert first is not None
    assert second is not None
    assert {first.user, second.user} == {"user_anna", "user_bela"}
    assert traffic.next_turn() is None
    traffic.settle(first, "Yes.")
    third = traffic.next_turn()
    assert third is not None
    assert third.user == first.user


def test_an_unanswered_question_leaves_no_trace() -> None:
    """After a failure the conversation is what it was before the question."""
    traffic = Traffic(users=("user_anna",))
    [answered] = turns(traffic, 1)
    before = traffic.conversations["user_anna"].messages
    failed = traffic.next_turn()
    assert failed is not None
    traffic.settle(failed, None)
    assert traffic.conversations["user_anna"].messages == before
    assert before[: len(answered.messages)] == answered.messages


def test_pauses_average_one() -> None:
    """Pauses are random, positive, and leave the unit to the sender."""
    pauses = [turn.pause for turn in turns(Traffic(), 4000)]
    assert min(pauses) >= 0
    assert 0.9 < sum(pauses) / len(pauses) < 1.1
