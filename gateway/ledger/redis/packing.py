"""A generation's record as it is kept: JSON, deflated (RFC 1950) against what most records share.

A record is some 600 bytes, mostly names of fields and what nearly all calls have in common; of that
a quarter is left.
"""

import zlib

import msgspec

from gateway.generation import Generation

# What is kept can be read with this very text only: it must never change. The end is found fastest.
_SHARED = (
    b'"error":"","referer":"https://","title":"","session_id":"","move_cost":,"moved_from":"'
    b'"flags":[{"type":"policy_enforce_user_ids","description":"Config set to block requests '
    b'without user field"}],"cache_write_tokens":,"estimated":true,"reasoning_tokens":'
    b'"status":429,"outcome":"refused","status":502,"outcome":"failed","outcome":"cancelled"'
    b'"endpoint":"embeddings","endpoint":"responses","route":"failover","route":"spill",'
    b'"streamed":true,"finish_reason":"length","finish_reason":"tool_calls",'
    b'{"id":"gen-17","created_at":17,"tenant":"","endpoint":"chat/completions","status":200,'
    b'"outcome":"ok","api_type":"completions","user":"","user_source":"user","model":"gpt-4o-mini",'
    b'"upstream_model":"gpt-4o","provider":"openai","route":"home","upstream_id":"chatcmpl-",'
    b'"finish_reason":"stop","latency_ms":,"first_byte_ms":,"usage":{"prompt_tokens":,'
    b'"completion_tokens":,"cached_tokens":},"cost":,"cache_discount":,"attempts":[{"provider":"",'
    b'"status":200,"latency_ms":}],"peer":"127.0.0.1","user_agent":"OpenAI/Python 1."}'
)
_LEVEL, _WINDOW, _MEMORY = 1, 11, 4
"""A window of 2 KiB holds any record with what it shares; small ones cost least to set up."""

_PREPARED = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zdict=_SHARED)
"""To be copied, which is less work than to read again what is shared."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Generation).decode


def pack(generation: Generation) -> bytes:
    """As it is kept."""
    packer = _PREPARED.copy()
    return packer.compress(_encode(generation)) + packer.flush()


def unpack(record: bytes) -> Generation:
    """What was kept."""
    return _decode(zlib.decompressobj(_WINDOW, zdict=_SHARED).decompress(record))
