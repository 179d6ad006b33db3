"""TLS with a pinned certificate: the chain must hold one of a known SHA-256, and be valid from there."""

from __future__ import annotations

import hashlib
import socket
import ssl
from pathlib import Path
from typing import Any, cast

from node.errors import InputError, TryAgainError
from node.installer.sources.location import Location

_ENCODING_DER = 2  # _ssl.ENCODING_DER, X509_FILETYPE_ASN1 of OpenSSL


def tls_context(location: Location, *, host: str, port: int, timeout_s: float) -> ssl.SSLContext:
    """Give a context that trusts nothing but what the location pins, host name and dates included.

    A location that is checked by its hash, or trusted on purpose, gets one that checks nothing.
    InputError where the pin is not in the server's chain; TryAgainError where the server isn't there.
    """
    if location.ca_file:
        return _trusting_file(location.ca_file)
    if location.ca_sha256:
        chain = _chain(host, port, timeout_s)
        pinned = [der for der in chain if hashlib.sha256(der).hexdigest() == location.ca_sha256]
        if not pinned:
            seen = "\n".join(f"the server sent {hashlib.sha256(der).hexdigest()}" for der in chain)
            raise InputError(
                f"{host} has no certificate with the fingerprint that node.answers.ca names",
                details=f"node.answers.ca is {location.ca_sha256}\n{seen}",
                mend="Give the right fingerprint; the server must send the CA's certificate with its own",
            )
        context = _strict()
        context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(pinned[0]))
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusting_file(path: Path) -> ssl.SSLContext:
    context = _strict()
    try:
        context.load_verify_locations(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"{path} holds no certificate that can be read: {error.strerror or error}",
            mend="Put the CA's certificate there, as PEM",
        ) from None
    return context


def _strict() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # What is pinned is the anchor, be it a root, an intermediate or the server's own certificate.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def _chain(host: str, port: int, timeout_s: float) -> list[bytes]:
    """Give the certificates that a server sends, as DER. Nothing else of this connection is used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            # Public since Python 3.13; before, the same on the object below.
            asked = secure if hasattr(secure, "get_unverified_chain") else cast("Any", secure)._sslobj
            chain = cast("Any", asked).get_unverified_chain() or []
    except OSError as error:
        raise TryAgainError(
            f"{host}:{port} can't be reached: {error.strerror or error}", mend="Is the server up?"
        ) from None
    return [der if isinstance(der, bytes) else der.public_bytes(_ENCODING_DER) for der in chain]
