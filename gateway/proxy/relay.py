"""Steps 6 and 7: an answer on its way to the client, metered in passing, settled before its end.

The upstream connection calls the relay from its read callback, once a read; there is no task and
no copy in between. A slow client pauses the upstream connection, a gone one cancels the call.
"""

from gateway.errors import UpstreamError
from gateway.metering.base import Meter
from gateway.proxy.entry import Entry
from gateway.proxy.reply import own_headers
from gateway.wire.downstream import Downstream
from gateway.wire.headers import client_headers
from gateway.wire.response import Response


class Relay:
    """One provider's answer to one client."""

    def __init__(self, meter: Meter, entry: Entry, client: Downstream) -> None:
        self._meter = meter
        self._entry = entry
        self._client = client

    def begin(self, response: Response, *, hides: bool) -> bool:
        """Pass on the head and what is here of the body; true if that was all.

        `hides`: the meter may leave a piece out.
        """
        self._entry.status, self._entry.meter = response.status, self._meter
        headers = client_headers(response.headers, own_headers(self._entry))
        self._client.start(response.status, headers, None if hides else response.length)
        return response.relay(self._pass)

    async def rest(self, response: Response) -> bool:
        """Pass on the rest, and say whether it came whole."""
        self._client.flush()
        self._client.connect_flow(response)
        try:
            await response.rest()
        except UpstreamError as error:
            self._break_off(error, response.length)
            return self._meter.settled
        finally:
            self._client.connect_flow(None)
        return True

    def _pass(self, data: bytes, end: bool) -> None:
        passed = self._meter.feed(data)
        if end and (held_back := self._meter.finish()):
            passed += held_back
        if end or self._meter.settled:
            self._entry.settle("ok")
        if passed:
            self._client.write(passed)
        if end:
            self._client.finish()

    def _break_off(self, error: UpstreamError, length: int | None) -> None:
        """The provider died mid-answer: a stream says so, and nothing ends as if it were whole.

        Where its length was announced, last words would take the place of what is missing.
        """
        message = f"The provider's answer broke off: {error}"
        self._entry.error = message
        self._entry.settle("cut")
        if length is None and (last_words := self._meter.break_off(message)):
            self._client.write(last_words)
        self._client.cut()
