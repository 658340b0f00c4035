"""`/openapi.json`: the API described (spec.openapis.org/oas/v3.1.0) by the types it works with."""
