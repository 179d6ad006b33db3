"""The node's own key: where it is kept, and the few things that it is used for."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from node.errors import NodeError
from node.model.system import Files

KEY_FILE = "key.pem"
_MODE = 0o600


class KeyStore(Protocol):
    """Holds one P-256 key and never gives it away, so that a TPM can be one."""

    def ensure(self) -> bool:
        """Make a key where there is none; True where one was made."""

    def discard(self) -> None:
        """Give up the key, readable or not."""

    def fingerprint(self) -> str:
        """Give the SHA-256 of the public key (SubjectPublicKeyInfo, DER), in hexadecimal."""

    def csr(self) -> str:
        """Give a request for a certificate, in PEM. The server takes no name from it."""

    def use_in(self, context: ssl.SSLContext, certificate: Path) -> None:
        """Have a connection prove itself by key and certificate; ssl.SSLError where they don't fit."""


@dataclass(frozen=True)
class FileKeyStore:
    """A key in a file that is root's alone. One that can't be read is an error: it is never replaced."""

    folder: Path
    files: Files

    def ensure(self) -> bool:
        """Make a key where there is none."""
        if self.files.exists(self._path):
            self._key()
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        try:
            self.files.write(self._path, text, mode=_MODE)
        except OSError as error:
            raise NodeError(
                f"the node's key can't be written to CONFIG: {error.strerror or error}",
                mend="See `nodectl status` for CONFIG",
            ) from None
        return True

    def discard(self) -> None:
        """Remove the file."""
        self.files.remove(self._path)

    def fingerprint(self) -> str:
        """Give the SHA-256 of the public key."""
        spki = (
            self._key()
            .public_key()
            .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return hashlib.sha256(spki).hexdigest()

    def csr(self) -> str:
        """Give a request for a certificate."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "node")])
        request = x509.CertificateSigningRequestBuilder().subject_name(name)
        signed = request.sign(self._key(), hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()

    def use_in(self, context: ssl.SSLContext, certificate: Path) -> None:
        """Load both into a context."""
        context.load_cert_chain(certificate, self._path)

    @property
    def _path(self) -> Path:
        return self.folder / KEY_FILE

    def _key(self) -> ec.EllipticCurvePrivateKey:
        try:
            key = serialization.load_pem_private_key(self.files.read(self._path), password=None)
        except (OSError, ValueError):
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise NodeError(
                f"the node's key {self._path} is damaged",
                mend="Run `nodectl register --new-key`: the node makes another one, which somebody must "
                "agree to on the server (node-server nodes rebind)",
            )
        return key
