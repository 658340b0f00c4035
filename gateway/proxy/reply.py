"""What Hearth itself adds to an answer, or says instead of one."""

from gateway.calls.head import Headers
from gateway.errors import GatewayError
from gateway.proxy.entry import Entry
from gateway.wire.downstream import Downstream


def own_headers(entry: Entry) -> Headers:
    """Where the call went and why, and the id its record is found by."""
    headers = [(b"X-Generation-Id", entry.id.encode())]
    if entry.provider is not None:
        headers.append((b"X-Hearth-Provider", entry.provider.encode()))
    if entry.route is not None:
        headers.append((b"X-Hearth-Route", entry.route.encode()))
    return headers


def answer_error(error: GatewayError, entry: Entry, client: Downstream) -> None:
    """`error` in the envelope of the API that was called."""
    body = error.body(entry.target.envelope)
    fields = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    headers = [(b"Content-Type", b"application/json"), *fields, *own_headers(entry)]
    client.start(error.status, headers, len(body))
    client.write(body)
    client.finish()
