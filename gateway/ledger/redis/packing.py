"""A generation's record as it is kept: JSON in a Zstandard frame (RFC 8878), compressed against
what most records share.

A record is some 600 bytes, mostly names of fields and what nearly all calls have in common; of that
less than a third is left.
"""

import msgspec
from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

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
_LEVEL = -1
"""A ninth longer than level 1 makes it, in half the time; it takes no part in reading."""

_DICTIONARY = ZstdCompressionDict(_SHARED, dict_type=DICT_TYPE_RAWCONTENT)
_DICTIONARY.precompute_compress(level=_LEVEL)

_compress = ZstdCompressor(level=_LEVEL, dict_data=_DICTIONARY, write_dict_id=False).compress
_decompress = ZstdDecompressor(dict_data=_DICTIONARY).decompress
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Generation).decode


def pack(generation: Generation) -> bytes:
    """As it is kept."""
    return _compress(_encode(generation))


def unpack(record: bytes) -> Generation:
    """What was kept."""
    return _decode(_decompress(record))
