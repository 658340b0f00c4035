"""`Via`: the gateways a request went through, and whether this one is among them.

RFC 9110 section 7.6.3: a gateway adds itself to every request it forwards, under a pseudonym.
"""

import socket
from pathlib import Path

import xxhash

from gateway.calls.head import Head
from gateway.calls.request import Request
from gateway.errors import LoopDetected


class Via:
    """One gateway's name among gateways.

    It comes from the host and the folder of the journals, which no two gateways share: the same
    in all workers and after a restart, and another one in every other gateway.
    """

    def __init__(self, journal: str) -> None:
        place = f"{socket.gethostname()}\0{Path(journal).absolute()}"
        self._pseudonym = f"hearth-{xxhash.xxh3_64_hexdigest(place.encode())}".encode()
        self._lines = {
            version: f"Via: {version} ".encode() + self._pseudonym + b"\r\n"
            for version in ("1.0", "1.1")
        }

    def line(self, version: str) -> bytes:
        """The field line that says that a request came here over HTTP/`version`."""
        return self._lines[version]

    def refuse_loop(self, request: Request) -> None:
        """Raises LoopDetected when the request went through this gateway before."""
        if b"via" in request.head.fields and self._is_named(request.head):
            raise LoopDetected(
                "This request came back: a provider's base_url leads to Hearth itself"
            )

    def _is_named(self, head: Head) -> bool:
        return any(
            entry.split()[1:2] == [self._pseudonym]
            for name, value in head.headers
            if name.lower() == b"via"
            for entry in value.split(b",")
        )
