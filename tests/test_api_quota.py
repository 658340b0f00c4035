"""How often a key may ask."""

import pytest

from gateway.api.quota import Quota
from gateway.errors import TooManyRequests


def test_so_many_in_any_window() -> None:
    """One more than allowed within the window is refused, and says when to come again."""
    quota = Quota(2, 60)
    quota.take("a", 0)
    quota.take("a", 10.5)
    with pytest.raises(TooManyRequests) as refused:
        quota.take("a", 59)
    assert refused.value.headers == {"Retry-After": "1"}
    quota.take("a", 60)


def test_clock_set_back() -> None:
    """It keeps nobody out: who asked before it may ask as often as any other."""
    quota = Quota(2, 60)
    quota.take("a", 9_000)
    quota.take("a", 9_000.5)
    quota.take("a", 5_400)
    quota.take("a", 5_401)
    with pytest.raises(TooManyRequests) as refused:
        quota.take("a", 5_402)
    assert refused.value.headers == {"Retry-After": "58"}


def test_each_holder_has_its_own() -> None:
    """What one key asked does not count against another."""
    quota = Quota(1, 60)
    quota.take("a", 0)
    quota.take("b", 0)
    with pytest.raises(TooManyRequests):
        quota.take("b", 1)
