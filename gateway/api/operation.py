"""What a route of the API takes and gives, as `/openapi.json` tells it."""

from collections.abc import Collection
from typing import Annotated, Any

import msgspec

Day = Annotated[
    str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", extra_json_schema={"format": "date"})
]
Moment = Annotated[
    str, msgspec.Meta(description="ISO 8601, UTC without an offset, or Unix seconds")
]


class Parameter(msgspec.Struct, frozen=True):
    """A query parameter; `type` is one that msgspec makes a JSON Schema of."""

    name: str
    text: str
    type: Any = str
    required: bool = False


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """`answer`: the type of a 200's JSON, `body` that of the request's. `tables`: it is also
    answered as CSV. `counts`: it reads the ledger and says how far behind that is. `errors`: the
    statuses it may have beside those that every route has."""

    summary: str
    answer: Any
    body: Any = None
    parameters: Collection[Parameter] = ()
    tables: bool = False
    counts: bool = False
    errors: Collection[int] = ()
