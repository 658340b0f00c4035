from gateway.generation import Usage
from gateway.metering.tally import OtherTally


def test_any_usage_counts_for_the_whole() -> None:
    """Images and audio report usage in their last event, under names of their own."""
    tally = OtherTally()
    tally.add(b'{"type":"speech.audio.delta","audio":"AAAA"}')
    tally.add(b'{"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101}}')
    assert (tally.usage, tally.counted, tally.settled) == (Usage(14, 101), True, False)


def test_done_settles_and_errors_are_kept() -> None:
    """`[DONE]` ends any stream that has it."""
    tally = OtherTally()
    tally.add(b'{"error":{"message":"Oh"}}')
    tally.add(b"not JSON")
    tally.add(b"[DONE]")
    assert (tally.error, tally.settled, tally.counted) == ("Oh", True, False)


def test_what_was_known_is_not_lost() -> None:
    """Later events without an id, or with counts that make no sense, change nothing."""
    tally = OtherTally()
    tally.add(b'{"id":"a","usage":{"total_tokens":3,"cost":0}}')
    tally.add(b'{"id":"b","usage":{"total_tokens":"x"}}')
    assert (tally.upstream_id, tally.usage, tally.cost) == ("a", Usage(3), 0)
