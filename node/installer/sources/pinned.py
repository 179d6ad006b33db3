"""TLS with a pinned certificate: the chain must hold one of a known SHA-256, and be valid from there."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

from node.errors import InputError, TryAgainError
from node.installer.sources.location import Location
from node.system.tls import anchored, chain_of, unchecked


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
        return anchored(pem=ssl.DER_cert_to_PEM_cert(pinned[0]))
    return unchecked()


def _trusting_file(path: Path) -> ssl.SSLContext:
    try:
        return anchored(path=path)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"{path} holds no certificate that can be read: {error.strerror or error}",
            mend="Put the CA's certificate there, as PEM",
        ) from None


def _chain(host: str, port: int, timeout_s: float) -> list[bytes]:
    try:
        return chain_of(host, port, timeout_s=timeout_s)
    except OSError as error:
        raise TryAgainError(
            f"{host}:{port} can't be reached: {error.strerror or error}", mend="Is the server up?"
        ) from None
