"""What certificates look like: one builder for the CA's own and for those that it issues."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A node whose clock is a little behind takes a certificate that was just made.
SKEW = timedelta(minutes=5)
CLIENT, SERVER, SIGNING = (
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CODE_SIGNING,
)
PROXY_URI = "urn:nodecrust:proxy:"
NODE_URI = "urn:uuid:"


@dataclass(frozen=True)
class Wanted:
    """What a certificate is for."""

    common_name: str
    uses: Sequence[x509.ObjectIdentifier]
    life: timedelta
    names: Sequence[x509.GeneralName] = ()


def key_fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """Give the SHA-256 of a public key (SubjectPublicKeyInfo), lower-case hex."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def fingerprint(certificate: x509.Certificate) -> str:
    """Give the SHA-256 of a certificate, lower-case hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def grouped(digest: str) -> str:
    """Give a fingerprint as people compare it: SHA256:ab:cd..."""
    return "SHA256:" + ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))


def read_fingerprint(text: str) -> str:
    """Read a SHA-256 as openssl, `grouped` or a node's console write it: 64 lower-case hexadecimal digits.

    ValueError where it isn't one.
    """
    digits = re.sub(r"[\s:]", "", re.sub(r"^\s*sha256\s*(fingerprint)?\s*[:=]", "", text.lower()))
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise ValueError("no SHA-256 fingerprint")
    return digits


def self_signed(
    name: str, key: ec.EllipticCurvePrivateKey, life: timedelta, now: datetime
) -> x509.Certificate:
    """Make the certificate of a CA that issues end certificates only."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        _started(subject, subject, key.public_key(), now, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_ca=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def issued(
    wanted: Wanted,
    public_key: ec.EllipticCurvePublicKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    """Make an end certificate."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.common_name[:64])])
    builder = (
        _started(subject, ca.subject, public_key, now, wanted.life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(wanted.uses), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
    )
    if wanted.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(wanted.names), critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def holds(
    certificate: x509.Certificate, ca: x509.Certificate, use: x509.ObjectIdentifier, now: datetime
) -> bool:
    """Tell whether `ca` issued a certificate for `use` that is valid at `now`."""
    try:
        certificate.verify_directly_issued_by(ca)
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return use in uses and certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def uris(certificate: x509.Certificate) -> list[str]:
    """Give the URIs that a certificate is made out to."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _started(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    now = now.astimezone(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
