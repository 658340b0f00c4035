"""What a gateway listens on."""

import socket
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.config import Server, Tls
from gateway.sockets import bind, tls_context
from tests.parts.certificates import CA


def encrypted(folder: Path) -> Tls:
    """A certificate whose key needs a passphrase."""
    issued = CA.issue_cert("localhost")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    (folder / "key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    (folder / "cert").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    return Tls(cert=str(folder / "cert"), key=str(folder / "key"))


def test_no_tls() -> None:
    """Without certificates nothing is spoken but plain HTTP."""
    assert tls_context(None) is None


def test_an_encrypted_key(tmp_path: Path) -> None:
    """It is an error: nobody is asked for the passphrase, for which a service would wait."""
    with pytest.raises(ssl.SSLError):
        tls_context(encrypted(tmp_path))


def test_an_address_that_the_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where IPv6 is switched off, `localhost` has an IPv6 address all the same: the other one is
    bound. With none that can be, it is an error."""
    nowhere = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0))
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    found = [nowhere, here]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    server = Server(host="localhost", port=0)
    [bound] = bind(server)
    with bound:
        assert bound.getsockname()[0] == "127.0.0.1"
    found.remove(here)
    with pytest.raises(OSError, match="address"):
        bind(server)
