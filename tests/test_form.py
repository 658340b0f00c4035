"""Form bodies: the fields asked for, and one of them replaced without touching the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.form import read_form, replace_form_field
from gateway.errors import BadRequest

TYPE = "multipart/form-data; boundary=XbX"
IMAGE = b"\x89PNG\r\n\x1a\n\r\n--Xb\r\n\x00\xff--XbX"
BODY = (
    b"--XbX\r\n"
    b'Content-Disposition: form-data; name="image"; filename="model.png"\r\n'
    b"Content-Type: image/png\r\n\r\n" + IMAGE + b"\r\n"
    b"--XbX\r\n"
    b'content-disposition: form-data; name="prompt"\r\n\r\n'
    b'Content-Disposition: form-data; name="model"\r\n\r\nnot this one\r\n'
    b"--XbX\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b'Content-Disposition: form-data; name="model"\r\n\r\n'
    b"fast\r\n"
    b"--XbX\r\n"
    b'Content-Disposition: form-data; name="model"; filename="b.png"\r\n\r\n'
    b"second\r\n"
    b"--XbX--\r\n"
)


def single(content: bytes, disposition: bytes = b'form-data; name="user"') -> bytes:
    return b"--XbX\r\nContent-Disposition: %b\r\n\r\n%b\r\n--XbX--\r\n" % (disposition, content)


def test_wanted_texts_are_read() -> None:
    """Files of that name are none, nor is a text that looks like a part."""
    assert read_form(BODY, TYPE, ("model", "image", "user")) == {"model": "fast"}


@pytest.mark.parametrize("second", ["u", "v"])
def test_a_text_that_is_there_twice(second: str) -> None:
    """It is refused: another server may take the other one. What nobody reads may be repeated."""
    part = b'--XbX\r\nContent-Disposition: form-data; name="user"\r\n\r\n%b\r\n'
    body = part % b"u" + single(second.encode())
    with pytest.raises(BadRequest, match="`user` is given more than once"):
        read_form(body, TYPE, ("model", "user"))
    assert read_form(body, TYPE, ("model",)) == {}


def test_content_of_a_text_is_kept_whole() -> None:
    """Line breaks, blanks and characters outside ASCII are part of the text."""
    assert read_form(single(" Zoë \r\n\r\n--Xb\n".encode()), TYPE, ("user",)) == {
        "user": " Zoë \r\n\r\n--Xb\n"
    }


def test_empty_text_is_a_text() -> None:
    """A field without content is there and empty."""
    assert read_form(single(b""), TYPE, ("user",)) == {"user": ""}


@pytest.mark.parametrize(
    "disposition", [b"form-data; name=user", b'form-data;name="user"', b'Form-Data; NAME="user"']
)
def test_spellings_of_a_disposition(disposition: bytes) -> None:
    """Quotes and blanks are optional, names of headers and options have no case."""
    assert read_form(single(b"u", disposition), TYPE, ("user",)) == {"user": "u"}
    replaced = replace_form_field(single(b"u", disposition), TYPE, "user", "v")
    assert replaced == single(b"v", disposition)


@pytest.mark.parametrize("content_type", ['multipart/form-data; boundary="XbX"', TYPE + "; a=b"])
def test_spellings_of_the_content_type(content_type: str) -> None:
    """The boundary may be quoted and need not be the last option."""
    assert read_form(BODY, content_type, ("model",)) == {"model": "fast"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        BODY[:-8],
        BODY.replace(b"--XbX--\r\n", b"--XbX\r\n"),
        single(b"u", b"attachment; name=user"),
        b"--XbX\nContent-Disposition: form-data; name=user\n\nu\n--XbX--\n",
    ],
)
def test_malformed_body_is_refused(body: bytes) -> None:
    """A body that ends early or is no form at all is a 400."""
    with pytest.raises(BadRequest, match="multipart/form-data"):
        read_form(body, TYPE, ("user",))


@pytest.mark.parametrize("filename", ["", "; filename=x"])
def test_content_that_begins_with_the_delimiter_is_refused(filename: str) -> None:
    """Servers differ in whether such a part has ended, and so in which part comes after it."""
    head = f"--b\r\nContent-Disposition: form-data; name=a{filename}\r\n\r\n"
    model = "--b\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--b--"
    body = f"{head}--b--\r\n{model}".encode()
    with pytest.raises(BadRequest, match="multipart"):
        read_form(body, "multipart/form-data; boundary=b", ("model",))


@pytest.mark.parametrize(
    "body",
    [
        single(b"u", b'form-data; name="user"\r\n--XbX: x'),
        single(b"u", b'form-data; name="user"\r\n--XbX--: x'),
        single(b"u").replace(b"Content", b"--XbX: x\r\nContent"),
        single(b"u") + single(b"v"),
    ],
)
def test_delimiter_out_of_place_is_refused(body: bytes) -> None:
    """In a head or behind the last part: another server, and replacing, may take it for the start
    of a part."""
    with pytest.raises(BadRequest, match="multipart"):
        read_form(body, TYPE, ("model",))


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_boundary_is_needed(content_type: str) -> None:
    """Without a boundary the parts cannot be told apart."""
    with pytest.raises(BadRequest, match="boundary"):
        read_form(BODY, content_type, ("user",))


def test_text_that_is_not_utf8_is_refused_by_name() -> None:
    """The error names the field; a field nobody asked for may hold anything."""
    with pytest.raises(BadRequest) as caught:
        read_form(single(b"\xff"), TYPE, ("user",))
    assert caught.value.param == "user"
    assert read_form(single(b"\xff"), TYPE, ("model",)) == {}


@pytest.mark.parametrize(("parts", "is_read"), [(1000, True), (1001, False)])
def test_a_form_has_an_end(parts: int, is_read: bool) -> None:
    """A body of small parts alone would hold up all other calls for seconds."""
    start, rest = single(b"u"), single(b"x", b'form-data; name="a"')
    body = start.removesuffix(b"--XbX--\r\n") + rest.removesuffix(b"--XbX--\r\n") * (parts - 1)
    if is_read:
        assert read_form(body + b"--XbX--\r\n", TYPE, ("user",)) == {"user": "u"}
    else:
        with pytest.raises(BadRequest, match="segment count"):
            read_form(body + b"--XbX--\r\n", TYPE, ("user",))


def test_replacing_changes_that_text_alone() -> None:
    """Files, of that name too, other fields, look-alikes: every byte stays."""
    before, after = BODY.split(b"\r\n\r\nfast\r\n")
    expected = before + b"\r\n\r\ngpt-4.1-nano\r\n" + after
    assert replace_form_field(BODY, TYPE, "model", "gpt-4.1-nano") == expected


def test_preamble_and_epilogue_stay() -> None:
    """What stands before the first and after the last boundary is passed on."""
    body = b"preamble\r\n" + single(b"u") + b"epilogue"
    expected = b"preamble\r\n" + single(b"v") + b"epilogue"
    assert replace_form_field(body, TYPE, "user", "v") == expected


@given(st.text(), st.text())
def test_replaced_text_is_read_back(old: str, new: str) -> None:
    """Reading finds what replacing wrote, for any text."""
    body = replace_form_field(single(old.encode()), TYPE, "user", new)
    assert read_form(body, TYPE, ("user",)) == {"user": new}
