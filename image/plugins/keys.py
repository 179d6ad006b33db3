"""Keys of plugin bundles: Ed25519, in PEM as openssl writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from image.configure import write
from node.boot import plugin_bundle
from node.errors import InputError

# Relative to the tree.
FOLDER = str(plugin_bundle.KEYS).lstrip("/")

_MAKE = "make one: openssl genpkey -algorithm ed25519 -out plugin.key"
_PUBLIC = "openssl pkey -in plugin.key -pubout -out plugin.pub"


def read_public_key(path: Path) -> bytes:
    """A public key as PEM, always in the same form. Raises InputError where the file holds no such key."""
    data = _read(path)
    if b"PRIVATE KEY" in data:
        raise InputError(
            f"{path} is a private key, which no image may hold", mend=f"give the public one: {_PUBLIC}"
        )
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path} is no public key in PEM", mend=_PUBLIC) from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path} is not a key of Ed25519, and bundles are signed by those alone", mend=_MAKE)
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs. Raises InputError where the file holds no such key, or one with a password."""
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except TypeError as error:
        raise InputError(
            f"{path} has a password", mend=f"give the key without: openssl pkey -in {path} -out /dev/shm/key"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path} is no private key in PEM", mend=_MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} is not a key of Ed25519, and bundles are signed by those alone", mend=_MAKE)
    return key


def fingerprint(pem: bytes) -> str:
    """SHA-256 of a public key's SubjectPublicKeyInfo, in hex."""
    der = serialization.load_pem_public_key(pem).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def write_keys(tree: Path, keys: Iterable[bytes]) -> None:
    """Put public keys into a tree, each in a file of its own."""
    for key in keys:
        write(tree / FOLDER / f"{fingerprint(key)[:16]}.pem", key.decode())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
