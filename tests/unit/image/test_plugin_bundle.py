"""Bundles as node-image makes them: signed, the same bytes each time, with what nodes ask for."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from image.plugins import keys
from image.plugins.bundle import bundle_plugins
from node.errors import InputError
from node.system.zip_files import read_zip
from tests.wheels import Wheel

PEM = serialization.Encoding.PEM
PRIVATE = serialization.PrivateFormat.PKCS8
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "plugin.key"
    private = Ed25519PrivateKey.generate()
    path.write_bytes(private.private_bytes(PEM, PRIVATE, serialization.NoEncryption()))
    path.with_suffix(".pub").write_bytes(private.public_key().public_bytes(PEM, PUBLIC))
    return path


def test_a_bundle(tmp_path: Path, key: Path) -> None:
    wheel = Wheel(requires=("pyyaml>=6", "tomli; python_version < '3.11'", "pytest; extra == 'test'"))
    output = tmp_path / "lamp.plugins"
    bundle_plugins([wheel.write(tmp_path)], key, output)
    data, signature = output.read_bytes(), (tmp_path / "lamp.plugins.sig").read_bytes()
    assert len(signature) == 64
    keys.read_private_key(key).public_key().verify(signature, data)
    files = read_zip(io.BytesIO(data))
    manifest = json.loads(files["nodecrust-plugins.json"].data)
    assert manifest["format"] == 1
    assert manifest["distributions"] == [{"name": "vendor-lamp", "version": "1.2"}]
    assert manifest["requires"] == [{"name": "pyyaml", "by": "vendor-lamp 1.2"}]
    assert "plugins/vendor_lamp/__init__.py" in files
    first = (data, signature)
    bundle_plugins([wheel.write(tmp_path)], key, output)
    assert (output.read_bytes(), (tmp_path / "lamp.plugins.sig").read_bytes()) == first


def test_what_is_given_beside_it_is_not_asked_for(tmp_path: Path, key: Path) -> None:
    wire = Wheel(name="lamp.wire", points={}, files={"lamp_wire.py": ""})
    wheels = [wire.write(tmp_path), Wheel(requires=("lamp-wire",)).write(tmp_path)]
    assert bundle_plugins(wheels, key, tmp_path / "b")["requires"] == []


def test_no_folder(tmp_path: Path, key: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        bundle_plugins([Wheel().write(tmp_path)], key, tmp_path / "no/b")


def test_keys(tmp_path: Path, key: Path) -> None:
    public = keys.read_public_key(key.with_suffix(".pub"))
    assert public.startswith(b"-----BEGIN PUBLIC KEY-----")
    keys.write_keys(tmp_path / "tree", [public])
    [path] = (tmp_path / "tree/usr/lib/nodecrust/plugin-keys").iterdir()
    assert path.read_bytes() == public
    assert keys.fingerprint(public).startswith(path.stem)


def test_a_private_key_never_gets_into_an_image(key: Path) -> None:
    with pytest.raises(InputError, match="is a private key, which no image may hold"):
        keys.read_public_key(key)


def test_other_keys(tmp_path: Path, key: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "ec"
    path.write_bytes(other.public_key().public_bytes(PEM, PUBLIC))
    with pytest.raises(InputError, match="is not a key of Ed25519"):
        keys.read_public_key(path)
    path.write_bytes(other.private_bytes(PEM, PRIVATE, serialization.NoEncryption()))
    with pytest.raises(InputError, match="is not a key of Ed25519"):
        keys.read_private_key(path)
    path.write_bytes(b"ssh-ed25519 AAAA")
    with pytest.raises(InputError, match="is no public key in PEM"):
        keys.read_public_key(path)
    with pytest.raises(InputError, match="is no private key in PEM"):
        keys.read_private_key(path)
    with pytest.raises(InputError, match="No such file"):
        keys.read_private_key(tmp_path / "gone")


def test_a_key_with_a_password(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    lock = serialization.BestAvailableEncryption(b"secret")
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(PEM, PRIVATE, lock))
    with pytest.raises(InputError, match="has a password"):
        keys.read_private_key(path)
