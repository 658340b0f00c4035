"""`/openapi.json`: the API described (spec.openapis.org/oas/v3.1.0) by the types it works with.

document                  the whole of it
own, proxied              the operations that Hearth answers, and those that a provider does
parts, schemas            what several of them have in common, and the types they work with
"""
