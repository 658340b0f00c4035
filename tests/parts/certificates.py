"""Certificates by an authority of the tests' own."""

import ssl
from pathlib import Path

import trustme

from gateway.wire.upstream import verifying_context

CA = trustme.CA()


def tls_for(name: str) -> ssl.SSLContext:
    """A server's context, with a certificate for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(name).configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    """A client's context that verifies, and trusts the authority."""
    context = verifying_context()
    CA.configure_trust(context)
    return context


def tls_section(folder: Path, name: str = "127.0.0.1") -> dict[str, str]:
    """`server.tls` of a configuration, with a certificate for `name` in the folder."""
    file = str(folder / "certificate.pem")
    CA.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(file)
    return {"cert": file, "key": file}
