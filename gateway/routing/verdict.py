"""What an answer says about the provider that gave it.

Trouble of the provider's own sends the call to the next candidate; a client's own fault would be
answered alike everywhere and is returned as it came. On a client's own key the provider's 401, 402
and 429 are about that client, so they keep nobody else away; where no model is asked for, 401 and
402 may be about an address that the key is not meant for, such as an administrator's. A 404 sends
the call on where the configuration says that the provider serves the model, and makes nobody sick:
what it lacks may be this model, or this API of it, alone. Any other 404 is the client's own fault.
Which statuses count: openrouter.ai/docs/guides/community/for-providers, sections 10 and 11.
"""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from gateway.calls.head import Headers
from gateway.config import Provider as Settings

_UNPAID = frozenset((401, 402))
_BUSY = frozenset((429, 529))
"""529 is Anthropic's and OpenRouter's `overloaded`."""


class Verdict(NamedTuple):
    """`is_trouble`: the next candidate is tried. `is_sick`: it counts towards an ejection. `pause`:
    seconds that the provider asks to be left alone. `cause`: what the provider did, in words that
    an operator can act on."""

    is_trouble: bool = False
    is_sick: bool = False
    pause: float = 0.0
    cause: str = ""


FINE: Final = Verdict()
ELSEWHERE: Final = Verdict(is_trouble=True)
SICK: Final = Verdict(is_trouble=True, is_sick=True, cause="no answer")
"""A failed connection and a timeout say the same, with causes of their own."""


def judge(
    status: int, headers: Headers, settings: Settings, model: str | None, wall: float
) -> Verdict:
    """The verdict on an answer's head; `model` is what the client asked for.

    `wall` is the time in seconds since the epoch, for a `Retry-After` that is a date.
    """
    if status == 404:
        return ELSEWHERE if _promises(settings, model) else FINE
    is_ours = settings.api_key is not None
    is_sick = _is_sick(status, settings, model)
    if not is_sick and status not in _BUSY:
        return FINE
    wait = retry_after(headers, wall) if is_ours or is_sick else 0.0
    return Verdict(is_trouble=True, is_sick=is_sick, pause=wait, cause=f"status {status}")


def _is_sick(status: int, settings: Settings, model: str | None) -> bool:
    if status in _UNPAID:
        return settings.api_key is not None and model is not None
    return status >= 500 and status not in (501, 529)


def _promises(settings: Settings, model: str | None) -> bool:
    return model is not None and model in (settings.upstream_models or ())


def retry_after(headers: Headers, wall: float) -> float:
    """The seconds of `Retry-After`, in either form of RFC 9110 section 10.2.3; 0 without one."""
    value = next((v.decode("latin-1") for n, v in headers if n.lower() == b"retry-after"), "")
    if value.isdecimal() and value.isascii():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - wall)
