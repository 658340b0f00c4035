"""An answer as the load clients see it: only whether it is complete, and whether it is a 200."""

import re

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


class Answer:
    """One answer, fed as it comes; chunked, or with a Content-Length."""

    def __init__(self) -> None:
        self._start = b""
        self._end = b""
        self._missing: int | None = None
        self.ok = False

    def feed(self, data: bytes) -> bool:
        """Read on; whether the answer is complete now."""
        if self._missing is not None:
            self._missing -= len(data)
            return self._missing <= 0
        if not self.ok:
            self._start += data
            return self._read_head()
        return self._is_last(data)

    def _read_head(self) -> bool:
        end = self._start.find(b"\r\n\r\n") + 4
        if end < 4:
            return False
        if not self._start.startswith(b"HTTP/1.1 200"):
            status_line = self._start.partition(b"\r\n")[0].decode("latin-1")
            raise ConnectionError(f"not a 200: {status_line}")
        self.ok = True
        body = self._start[end:]
        if length := _LENGTH.search(self._start, 0, end):
            self._missing = int(length[1]) - len(body)
            return self._missing <= 0
        return self._is_last(body)

    def _is_last(self, data: bytes) -> bool:
        self._end = (self._end + data)[-len(_LAST_CHUNK) :]
        return self._end == _LAST_CHUNK
