"""What is said to a client that does not get its request out: late, too large or too slow."""

import asyncio
import time

from gateway.envelope import Envelope
from gateway.errors import GatewayError, RequestTimeout
from gateway.wire.answer_head import answer_head
from gateway.wire.limits import Limits


def refusal(error: GatewayError) -> bytes:
    """The whole answer; the connection is to be closed after it.

    Nobody knows which API was meant, so it speaks OpenAI's.
    """
    body = error.body(Envelope.OPENAI)
    fields = [(b"Content-Type", b"application/json")]
    head = answer_head(error.status, fields, len(body), time.time(), keep_alive=False)
    return head + body


def half_close(transport: asyncio.Transport) -> None:
    """Say that nothing more comes, and leave the connection open for what the client still sends.

    A close would answer that with a reset, which may destroy the answer before the client has read
    it (RFC 9112 section 9.6). TLS cannot be half closed; there the answer's head has to say it.
    """
    if transport.can_write_eof():
        transport.write_eof()


def late_head(seconds: float) -> bytes:
    """The refusal of a head that did not end in time."""
    return refusal(RequestTimeout(f"The request's head was not complete within {seconds:g} s"))


def late_body(limits: Limits) -> RequestTimeout:
    """What is wrong with a body that came too slowly; a request of its own, to be recorded."""
    return RequestTimeout(
        f"The body came slower than {limits.rate} bytes a second for {limits.body:g} s"
    )
