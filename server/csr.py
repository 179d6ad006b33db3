"""Reading the certificate request of a node: of it only the key counts."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from server.refusal import RefusalError


def read_csr(pem: str) -> ec.EllipticCurvePublicKey:
    """Give the public key of a request whose signature proves that the sender has the private one.

    RefusalError (400 bad-csr) for everything but EC P-256.
    """
    try:
        request = x509.load_pem_x509_csr(pem.encode("ascii"))
        key = request.public_key()
        proven = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad("the certificate request can't be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _bad("the key of the certificate request is not EC P-256")
    if not proven:
        raise _bad("the certificate request is not signed by its own key")
    return key


def _bad(detail: str) -> RefusalError:
    return RefusalError(400, "bad-csr", detail)
