"""The CA: a folder of keys and certificates, made once; what the server and its nodes are known by."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from node.errors import InputError, NodeError
from server import clock
from server.certificates import (
    CLIENT,
    NODE_URI,
    PROXY_URI,
    SERVER,
    SIGNING,
    Wanted,
    fingerprint,
    issued,
    self_signed,
)

_CA_LIFE = timedelta(days=3653)
_SERVER_LIFE = timedelta(days=90)
_SIGNER_LIFE = timedelta(days=365)
_PROXY_LIFE = timedelta(days=365)
_PREFIX = b"nodecrust-config-v1"


class Authority:
    """The CA of one server, with its children: the server's certificate and the signer of configurations."""

    def __init__(self, folder: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.folder = folder
        self.certificate = certificate
        self._key = key
        self._signer, self.signer_certificate = self._child("signer", (), _SIGNER_LIFE)

    @property
    def pem(self) -> bytes:
        """The CA's certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """What a node must be given to know this server by."""
        return fingerprint(self.certificate)

    def issue_node(
        self, node_id: str, public_key: ec.EllipticCurvePublicKey, life: timedelta
    ) -> x509.Certificate:
        """Make the certificate by which a node is known until it ends."""
        wanted = Wanted(node_id, [CLIENT], life, [x509.UniformResourceIdentifier(NODE_URI + node_id)])
        return issued(wanted, public_key, self.certificate, self._key, clock.now())

    def server_file(self, names: Sequence[str]) -> Path:
        """Give certificate and key as one file, made anew where a name is missing or it soon ends."""
        self._child("server", names, _SERVER_LIFE)
        return self.folder / "server.pem"

    def issue_proxy(self, name: str, hosts: Sequence[str]) -> tuple[bytes, bytes]:
        """Make certificate and key of a proxy that may speak for nodes, and that answers to `hosts`."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.UniformResourceIdentifier(PROXY_URI + name), *general_names(hosts)]
        wanted = Wanted(f"proxy {name}", [CLIENT, SERVER], _PROXY_LIFE, names)
        made = issued(wanted, key.public_key(), self.certificate, self._key, clock.now())
        return made.public_bytes(Encoding.PEM), _key_pem(key)

    def sign_configuration(self, node_id: str, generation: int, document: str) -> tuple[str, str]:
        """Give the signature (base64) of a document for a node and generation, and who signed (PEM)."""
        text = b"\n".join([_PREFIX, node_id.encode(), str(generation).encode(), document.encode()])
        signature = self._signer.sign(text, ec.ECDSA(hashes.SHA256()))
        return base64.b64encode(signature).decode(), self.signer_certificate.public_bytes(
            Encoding.PEM
        ).decode()

    def _child(
        self, name: str, hosts: Sequence[str], life: timedelta
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        with _locked(self.folder):
            found = _read_pair(self.folder, name)
            names = general_names(hosts)
            if found and self._still_good(found[1], names, life):
                return found
            key = ec.generate_private_key(ec.SECP256R1())
            use = SERVER if name == "server" else SIGNING
            wanted = Wanted(f"nodecrust {name}", [use], life, names)
            made = issued(wanted, key.public_key(), self.certificate, self._key, clock.now())
            _write_pair(self.folder, name, key, made)
            return key, made

    def _still_good(
        self, certificate: x509.Certificate, names: Sequence[x509.GeneralName], life: timedelta
    ) -> bool:
        if certificate.issuer != self.certificate.subject or not _names_of(certificate) >= set(names):
            return False
        return certificate.not_valid_after_utc - clock.now() > life / 3


def has_authority(folder: Path) -> bool:
    """Tell whether a folder has a CA, be it a broken one."""
    return (folder / "ca.pem").exists()


def open_authority(folder: Path, *, create: bool) -> Authority:
    """Open the CA of a folder, made there when nothing is (`create`).

    InputError where there is none, NodeError where it is broken: a CA is never made over another.
    """
    if create:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif not has_authority(folder):
        raise InputError(
            f"there is no CA in {folder}", mend="start `node-server run` first, or name its --data"
        )
    with _locked(folder):
        found = _read_pair(folder, "ca")
        if found is None:
            key = ec.generate_private_key(ec.SECP256R1())
            # Two servers' CAs must not be taken for each other by their names alone.
            certificate = self_signed(f"Nodecrust CA {secrets.token_hex(4)}", key, _CA_LIFE, clock.now())
            _write_pair(folder, "ca", key, certificate)
            found = key, certificate
        # The public half by itself, for whoever wants to copy it.
        public = found[1].public_bytes(Encoding.PEM)
        if create and (not (folder / "ca.crt").exists() or (folder / "ca.crt").read_bytes() != public):
            write_private(folder / "ca.crt", public)
    return Authority(folder, *found)


def general_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    """Give host names and addresses as a certificate has them."""
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _names_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _read_pair(folder: Path, name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
    """Read key and certificate out of their one file; a child's that is broken counts as none."""
    path = folder / f"{name}.pem"
    try:
        pem = path.read_bytes()
        key = load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
        whole = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        whole = False
    if whole:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key, certificate
    if name != "ca":
        return None
    raise NodeError(
        f"the CA's file {path} can't be read, or its halves don't belong together",
        mend="restore it from a backup; every node knows this CA and no other",
    )


def _write_pair(
    folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> None:
    # One file: a crash leaves both or none.
    write_private(folder / f"{name}.pem", _key_pem(key) + certificate.public_bytes(Encoding.PEM))


def write_private(path: Path, content: bytes) -> None:
    """Replace a file as a whole; only its owner reads it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep others from making the same files at once."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
