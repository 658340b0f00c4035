"""Generations to count, as the proxy settles them."""

from typing import Any

from gateway.generation import Flag, Generation, Record, Usage
from gateway.ledger.packing import unpack
from gateway.ledger.parcel import Parcel, parcels

DAY = 20_000
"""The day `generation` puts its results on, unless told otherwise."""

MICROSECONDS = 86_400_000_000


def generation(number: int = 1, *, day: int = DAY, **fields: Any) -> Generation:
    """The `number`th of its day, a second after the one before; any field can be set apart."""
    settled: dict[str, Any] = {
        "id": f"gen-{day}-{number:06}",
        "created_at": day * MICROSECONDS + number * 1_000_000,
        "tenant": "app",
        "endpoint": "chat.completions",
        "status": 200,
        "outcome": "ok",
        "user": "user_1",
        "model": "small",
        "provider": "a",
        "latency_ms": 20,
        "usage": Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=4),
        "cost": 7,
    }
    return Generation(**settled | fields)


def refusal(number: int = 1, *, day: int = DAY, **fields: Any) -> Generation:
    """A call that a policy refused: without a user, never sent to a provider."""
    refused: dict[str, Any] = {
        "status": 422,
        "outcome": "refused",
        "user": None,
        "provider": None,
        "usage": Usage(),
        "cost": 0,
        "flags": (Flag("policy_enforce_user_ids", "no user"),),
    }
    return generation(number, day=day, **refused | fields)


def records(*generations: Generation, writer: str = "w", first: int = 1) -> list[Parcel]:
    """The records of one writer, in order, as stores are given them."""
    return parcels(Record(writer, number, one) for number, one in enumerate(generations, first))


def record(parcel: Parcel) -> Record:
    """The record that a parcel was made of."""
    return Record(parcel.writer, parcel.sequence, unpack(parcel.packed))
