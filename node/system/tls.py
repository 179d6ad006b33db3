"""TLS that trusts nothing but what it was given: no CA of the machine's own ever counts."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any, cast

_ENCODING_DER = 2  # _ssl.ENCODING_DER, X509_FILETYPE_ASN1 of OpenSSL


def anchored(*, pem: str = "", path: Path | None = None) -> ssl.SSLContext:
    """Give a context that trusts these certificates alone, host name and dates checked.

    OSError or ssl.SSLError where there is none that can be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # What is given is the anchor, be it a root, an intermediate or the server's own certificate.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cafile=str(path) if path else None, cadata=pem or None)
    return context


def unchecked() -> ssl.SSLContext:
    """Give a context that checks nothing: for what is compared with a fingerprint, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def chain_of(host: str, port: int, *, timeout_s: float) -> list[bytes]:
    """Give the certificates that a server sends, as DER; OSError where it isn't there.

    Nothing else of this connection is used.
    """
    with (
        socket.create_connection((host, port), timeout=timeout_s) as plain,
        unchecked().wrap_socket(plain, server_hostname=host) as secure,
    ):
        # Public since Python 3.13; before, the same on the object below.
        asked = secure if hasattr(secure, "get_unverified_chain") else cast("Any", secure)._sslobj
        chain = cast("Any", asked).get_unverified_chain() or []
    return [der if isinstance(der, bytes) else der.public_bytes(_ENCODING_DER) for der in chain]
