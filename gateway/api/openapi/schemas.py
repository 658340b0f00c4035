"""JSON Schemas of the types that handlers work with."""

from typing import Any

import msgspec

from gateway.api.openapi.parts import ERRORS, Json, error_name

_PLACE = "#/components/schemas/{name}"


class Schemas:
    """Makes schemas, and gathers what they refer to in `components`."""

    def __init__(self) -> None:
        self.components: Json = {error_name(each): schema for each, schema in ERRORS.items()}

    def of(self, kind: Any) -> Json:
        """The schema of a type."""
        (schema,), components = msgspec.json.schema_components([kind], ref_template=_PLACE)
        self.components |= components
        return schema
