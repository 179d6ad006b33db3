"""A bundle of plugins at boot: only what a key of the image signed is unpacked, and a refusal is said."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.boot.places import Places
from node.boot.plugin_bundle import accept_bundle
from node.plugin_manager import Plugins
from node.system.plugin_folders import refused_bundle

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
MANIFEST = {"format": 1, "distributions": [{"name": "vendor-lamp", "version": "1.2"}], "requires": []}


def bundle(manifest: dict[str, object] | None = None, **more: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if manifest is not None:
            archive.writestr("nodecrust-plugins.json", json.dumps(manifest))
        archive.writestr("plugins/vendor_lamp/__init__.py", "x = 1\n")
        for name, text in more.items():
            archive.writestr(name, text)
    return buffer.getvalue()


class Boot:
    """A start with a bundle that the initrd fetched."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(root=folder / "root", config=folder / "config", run=folder / "run")
        self.folder = self.places.run / "plugin-bundle"
        self.folder.mkdir(parents=True)
        (self.folder / "asked").write_text("http://10.0.2.2/lamp.plugins\n")
        self.trust(KEY)

    def trust(self, key: Ed25519PrivateKey, name: str = "a") -> None:
        keys = self.places.root / "usr/lib/nodecrust/plugin-keys"
        keys.mkdir(parents=True, exist_ok=True)
        pem = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (keys / f"{name}.pem").write_bytes(pem)

    def fetched(self, data: bytes, signature: bytes | None = None) -> None:
        (self.folder / "bundle").write_bytes(data)
        (self.folder / "bundle.sig").write_bytes(KEY.sign(data) if signature is None else signature)

    def refused(self) -> str:
        assert not accept_bundle(self.places)
        # Neither a part of it nor anything that Python would look into.
        assert not (self.places.run / "plugins").exists()
        assert not (self.folder / "bundle").exists()
        return refused_bundle(self.folder)


@pytest.fixture
def start(tmp_path: Path) -> Boot:
    return Boot(tmp_path)


def test_a_good_one(start: Boot) -> None:
    start.fetched(bundle(MANIFEST))
    assert accept_bundle(start.places)
    assert (start.places.run / "plugins/vendor_lamp/__init__.py").read_text() == "x = 1\n"
    assert refused_bundle(start.folder) == ""
    assert not (start.folder / "bundle").exists()


def test_a_start_that_ended_before_it_was_checked(start: Boot) -> None:
    start.fetched(bundle(MANIFEST))
    assert refused_bundle(start.folder).endswith("lamp.plugins was not checked at this start")


def test_none_was_asked_for(start: Boot) -> None:
    (start.folder / "asked").unlink()
    assert not accept_bundle(start.places)
    assert refused_bundle(start.folder) == ""


def test_one_of_several_keys(start: Boot) -> None:
    start.trust(OTHER, "0")
    start.fetched(bundle(MANIFEST))
    assert accept_bundle(start.places)


def test_of_another_key(start: Boot) -> None:
    data = bundle(MANIFEST)
    start.fetched(data, OTHER.sign(data))
    assert start.refused() == (
        "the bundle of plugins http://10.0.2.2/lamp.plugins has a wrong signature: it is damaged, not whole, "
        "or signed by a key that this image does not have"
    )


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_not_whole(start: Boot, cut: int) -> None:
    data = bundle(MANIFEST)
    start.fetched(data[:cut], KEY.sign(data))
    assert "wrong signature" in start.refused()


@pytest.mark.parametrize("signature", [b"", b"x" * 63, b"<html>not found</html>" * 20])
def test_not_signed(start: Boot, signature: bytes) -> None:
    start.fetched(bundle(MANIFEST), signature)
    assert f"is not signed: its signature has {len(signature)} bytes" in start.refused()


def test_an_image_without_a_key(start: Boot) -> None:
    start.fetched(bundle(MANIFEST))
    next((start.places.root / "usr/lib/nodecrust/plugin-keys").iterdir()).unlink()
    assert "this image has no key for plugins" in start.refused()


def test_what_the_initrd_could_not_fetch(start: Boot) -> None:
    (start.folder / "failed").write_text("can't be fetched: Connection refused\n")
    assert not accept_bundle(start.places)
    assert refused_bundle(start.folder).endswith("lamp.plugins can't be fetched: Connection refused")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no archive", "is damaged"),
        (bundle(None), "is not made by node-image bundle-plugins"),
        (bundle({**MANIFEST, "format": 2}), "is of format 2, and this image knows 1"),
        (bundle(MANIFEST, **{"etc/passwd": "x"}), "has etc/passwd, which is no part of a bundle"),
        (bundle(MANIFEST, **{"plugins/../../../etc/passwd": "x"}), "can't be unpacked"),
        (
            bundle({**MANIFEST, "requires": [{"name": "no-such-thing", "by": "vendor-lamp 1.2"}]}),
            "needs no-such-thing for vendor-lamp 1.2, which this image lacks",
        ),
        (bundle({**MANIFEST, "distributions": [{"name": "pluggy", "version": "0"}]}), "this image has"),
        (bundle({"format": 1}), "can't be taken"),
    ],
)
def test_signed_and_refused_all_the_same(start: Boot, data: bytes, words: str) -> None:
    start.fetched(data)
    assert words in start.refused()


def test_only_the_one_that_is_pinned(start: Boot) -> None:
    data = bundle(MANIFEST)
    (start.folder / "sha256").write_text("0" * 64 + "\n")
    start.fetched(data)
    assert "node.plugins.sha256 is 000" in start.refused()
    (start.folder / "failed").unlink()
    (start.folder / "sha256").write_text(hashlib.sha256(data).hexdigest() + "\n")
    start.fetched(data)
    assert accept_bundle(start.places)


def test_no_plan_is_made_without_the_plugins_that_were_asked_for(
    start: Boot, monkeypatch: pytest.MonkeyPatch
) -> None:
    (start.folder / "failed").write_text("is not signed\n")
    monkeypatch.setattr("node.plugin_host.bundle.refused_bundle", lambda: refused_bundle(start.folder))
    monkeypatch.setenv("NODECRUST_PLUGINS", "")
    plugins = Plugins()
    plugins.load()
    [problem] = plugins.problems
    assert (problem.code, problem.severity) == ("plugins-refused", "error")
    assert "lamp.plugins is not signed" in str(problem)
