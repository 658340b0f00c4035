"""What is read out of the events of a stream of no known API."""

from gateway.generation import Usage
from gateway.metering.stream_state import OtherState


def test_any_usage_counts_for_the_whole() -> None:
    """Images and audio report usage in their last event, under names of their own."""
    state = OtherState()
    state.add(b'{"type":"speech.audio.delta","audio":"AAAA"}')
    state.add(b'{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101}}')
    assert (state.usage, state.counted, state.settled) == (Usage(14, 101), True, False)


def test_done_settles_and_errors_are_kept() -> None:
    """`[DONE]` ends any stream that has it."""
    state = OtherState()
    state.add(b'{"error":{"message":"Oh"}}')
    state.add(b"not JSON")
    state.add(b"[DONE]")
    assert (state.error, state.settled, state.counted) == ("Oh", True, False)


def test_what_was_known_is_not_lost() -> None:
    """Later events without an id, or with counts that make no sense, change nothing."""
    state = OtherState()
    state.add(b'{"id":"a","usage":{"total_tokens":3,"cost":0}}')
    state.add(b'{"id":"b","usage":{"total_tokens":"x"}}')
    assert (state.upstream_id, state.usage, state.cost) == ("a", Usage(3), 0)
