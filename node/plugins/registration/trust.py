"""Whom the node believes: the server's CA, fetched from anyone and compared with the fingerprint."""

from __future__ import annotations

import hashlib
import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509

from node.errors import NodeError
from node.model.fingerprint import shown
from node.model.system import Files
from node.plugins.registration.memory import CA_FILE, keep
from node.plugins.registration.wire import Connection, ProblemError
from node.system.tls import anchored, unchecked

_PEM_MOST = 64 << 10


def trusted_ca(server: str, fingerprint: str, folder: Path, files: Files) -> str:
    """Give the CA's certificate in PEM: the one that is kept, else the server's; it has the fingerprint.

    NodeError where the server has another one, TryAgainError where it isn't there.
    """
    try:
        kept = files.read(folder / CA_FILE).decode()
        if sha256_of(kept) == fingerprint:
            return kept
    except (OSError, ValueError):
        pass
    # This connection believes nothing and tells nothing; what comes over it is compared, and no more.
    with Connection(server, unchecked()) as connection:
        try:
            contents = connection.ask("GET", "/v1/ca", headers={"Accept": "application/x-pem-file"}).body
        except ProblemError as error:
            raise NodeError(
                f"{server} shows no CA ({error.status})", mend="Is it a node-server, and its address right?"
            ) from None
    try:
        found = sha256_of(contents[:_PEM_MOST].decode())
    except ValueError:
        raise NodeError(f"{server} shows no certificate as its CA", mend="Is it a node-server?") from None
    if found != fingerprint:
        raise NodeError(
            f"{server} is not the server that this node was told: its CA is another one",
            details=f"wanted {shown(fingerprint)}\nfound  {shown(found)}",
            mend="Nothing was sent to it. Compare both with what `node-server` shows; give the right one by "
            "nodectl config set registration.fingerprint=HEX",
        )
    pem = ssl.DER_cert_to_PEM_cert(_der(contents.decode()))
    keep(folder / CA_FILE, pem, files)
    return pem


def sha256_of(pem: str) -> str:
    """Give the SHA-256 of a certificate; ValueError where it is none."""
    return hashlib.sha256(_der(pem)).hexdigest()


def ca_counts_from(pem: str) -> datetime:
    """Give the moment before which the CA was not made: no clock that is right shows less."""
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_before_utc


def trusting(pem: str) -> ssl.SSLContext:
    """Give a context that believes this CA alone."""
    return anchored(pem=pem)


def _der(pem: str) -> bytes:
    # Read whole, so that what follows the first certificate doesn't pass as one with its fingerprint.
    der = ssl.PEM_cert_to_DER_cert(pem.strip() + "\n")
    x509.load_der_x509_certificate(der)
    return der
