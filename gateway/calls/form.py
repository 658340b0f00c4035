"""The text fields of a `multipart/form-data` body (RFC 7578), read and replaced in place."""

from collections.abc import Collection, Iterator

from multipart import MultipartError, PushMultipartParser, parse_options_header

from gateway.errors import BadRequest

_MOST_PARTS = 1000
"""Of a form; each takes some microseconds, in which no other call gets on."""


def read_form(body: bytes, content_type: str, names: Collection[str]) -> dict[str, str]:
    """Field name -> text of the parts called one of `names`.

    A part with a file name is a file, whatever it is called. Raises BadRequest for a malformed
    body, for a text that is not UTF-8, and for a name that two parts have: servers differ in which
    of them counts.
    """
    fields: dict[str, str] = {}
    for name, content in _parts(body, content_type):
        if name in fields:
            raise BadRequest(f"`{name}` is given more than once", name)
        if name in names:
            fields[name] = _text(name, content)
    return fields


def replace_form_field(body: bytes, content_type: str, name: str, value: str) -> bytes:
    """`body` with the text of the part called `name` replaced; the rest stays as it came."""
    position = [found for found, _ in _parts(body, content_type)].index(name)
    delimiter = b"\r\n--" + _boundary(content_type).encode()
    pieces = (b"\r\n" + body).split(delimiter)  # the first delimiter may lack its line break
    head, gap, _ = pieces[position + 1].partition(b"\r\n\r\n")
    pieces[position + 1] = head + gap + value.encode()
    return delimiter.join(pieces).removeprefix(b"\r\n")


def _parts(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every part, in order; the name of a file is empty.

    BadRequest also for a delimiter that no part ends with: in a head, where a content begins, or
    behind the last part. RFC 2046 section 5.1.1 permits none there, and servers differ in what they
    make of it.
    """
    name, content, ended = "", b"", 0
    boundary = _boundary(content_type)
    try:
        with PushMultipartParser(boundary, max_segment_count=_MOST_PARTS) as parser:
            for event in parser.parse(body):
                if event is None:
                    ended += 1
                    yield name, content
                elif isinstance(event, bytes):
                    content = event  # in one piece, as the body is
                else:
                    name, content = ("" if event.filename else event.name), b""
    except MultipartError as error:
        raise BadRequest(f"The body is not multipart/form-data: {error}") from error
    delimiter = f"--{boundary}".encode()
    if body.startswith(delimiter) + body.count(b"\r\n" + delimiter) != ended + 1:
        raise BadRequest("The body is not multipart/form-data: a delimiter is out of place")


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"`{name}` must be UTF-8", name) from error


def _boundary(content_type: str) -> str:
    _, options = parse_options_header(content_type)
    boundary: str = options.get("boundary", "")
    if not boundary:
        raise BadRequest("Content-Type: multipart/form-data needs a boundary", "boundary")
    return boundary
