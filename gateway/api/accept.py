"""What form of an answer a client asks for: `format`, or `Accept`, RFC 9110 section 12.5.1."""

from collections.abc import Collection, Mapping
from typing import Literal

from gateway.api.operation import Parameter
from gateway.api.query import read_choice
from gateway.calls.request import Request

FORMAT = Parameter(
    "format", "By default what `Accept` asks for; Hearth's own", Literal["json", "csv"]
)


def preferred(accept: str, kinds: Collection[str]) -> str | None:
    """Of `kinds`, media types in lower case, the one that `accept` names with most weight, and of
    equals the first. None where it names none: ranges such as `*/*` say nothing."""
    weights: dict[str, float] = {}
    for each in accept.lower().split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        weight = _weight(parameters)
        if name in kinds and weight > 0:
            weights.setdefault(name, weight)
    return max(weights, key=weights.__getitem__, default=None)


def wants_csv(values: Mapping[str, str], request: Request) -> bool:
    """Whether a table is asked for, by the parameter or else by `Accept`; BadRequest for a `format`
    that there is not."""
    accepted = preferred(request.header(b"accept") or "", ("application/json", "text/csv"))
    usual = "csv" if accepted == "text/csv" else "json"
    return read_choice(values, "format", ("json", "csv"), usual) == "csv"


def _weight(parameters: Collection[str]) -> float:
    """1 where there is none, and of one that cannot be read."""
    found = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return float(found)
    except ValueError:
        return 1.0
