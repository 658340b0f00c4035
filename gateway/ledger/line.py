"""A line of a journal: `["writer",sequence,[the fields of a generation in their order]]`."""

import msgspec

from gateway.generation import Record
from gateway.ledger.named import NamedRecord, unnamed

_decode = msgspec.json.Decoder(Record).decode
_decode_named = msgspec.json.Decoder(NamedRecord).decode


def record_of(line: bytes) -> Record | None:
    """The record in a line; None when it is not a complete one with the right types."""
    try:
        return _decode(line)
    except msgspec.ValidationError:
        return _earlier(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _earlier(line: bytes) -> Record | None:
    try:
        record = _decode_named(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return Record(record.writer, record.sequence, unnamed(record.generation))
