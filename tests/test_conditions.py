"""Conditions on a user's sums, and what they cost."""

import fnmatch
from unittest.mock import Mock

import pytest

from gateway.ledger.conditions import COMPARE


def test_patterns_of_a_question_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200, as many as one has, each is made for the first of the users it is held against."""
    made = Mock(wraps=fnmatch.translate)
    monkeypatch.setattr(fnmatch, "translate", made)
    for _ in range(3):
        assert all(COMPARE["like"](f"user_{n}", f"%er_{n}") for n in range(200))
    assert made.call_count == 200
