"""A desired configuration from the server: who signed it, for whom, and whether it is an old one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from node.errors import NodeError
from node.model.registration import Desired

DOCUMENT_MOST = 256 << 10
_MEND = "Look at the server: node-server events; the node stays as it is"


def signed_bytes(node_id: str, generation: int, document: str) -> bytes:
    """Give what the signature is over."""
    return f"nodecrust-config-v1\n{node_id}\n{generation}\n{document}".encode()


def checked(
    data: Mapping[str, Any], *, ca: str, node_id: str, newest: int, source: str, now: datetime
) -> Desired:
    """Give a desired configuration that may be believed; NodeError where it may not.

    `newest` is the highest generation seen so far: an older one is refused, as is one that was signed for
    another node, or by what the CA didn't make for signing.
    """
    generation, document = data.get("generation"), data.get("document")
    if type(generation) is not int or generation < 1 or not isinstance(document, str):
        raise NodeError("the server's configuration has not the form of one", mend=_MEND)
    if len(document.encode()) > DOCUMENT_MOST:
        raise NodeError("the server's configuration is too long", mend=_MEND)
    signer = _signer(data.get("signer"), ca, now)
    try:
        signature = base64.b64decode(str(data.get("signature")), validate=True)
        signer.verify(signature, signed_bytes(node_id, generation, document), ec.ECDSA(hashes.SHA256()))
    except (binascii.Error, InvalidSignature):
        raise NodeError(
            "the server's configuration is not signed for this node as it is", mend=_MEND
        ) from None
    if generation < newest:
        raise NodeError(
            f"the server's configuration is older ({generation}) than one that it gave before ({newest})",
            mend="Was the server's database put back? Set the configuration anew there until it is newer",
        )
    return Desired(generation, document, source)


def _signer(pem: object, ca: str, now: datetime) -> ec.EllipticCurvePublicKey:
    """Give the key of the signer's certificate, which must come from the CA and be for signing."""
    try:
        certificate = x509.load_pem_x509_certificate(str(pem).encode())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.encode()))
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        key = certificate.public_key()
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        raise NodeError(
            "the server's configuration is signed by nobody that its CA knows", mend=_MEND
        ) from None
    signs = ExtendedKeyUsageOID.CODE_SIGNING in usage
    if not signs or not isinstance(key, ec.EllipticCurvePublicKey):
        raise NodeError(
            "the server's configuration is signed by a certificate that is not for it", mend=_MEND
        )
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise NodeError(
            "the certificate that signed the server's configuration doesn't count now",
            mend="Is this node's clock right?",
        )
    return key
