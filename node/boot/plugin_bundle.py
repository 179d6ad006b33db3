"""Plugins of `node.plugins=URL`: what the initrd fetched is checked here, and only then unpacked.

A bundle is a zip archive with its signature in a file beside it (`URL` and `URL.sig`): 64 bytes of Ed25519
(RFC 8032) over the archive as it is, by a key whose public half is in the image. Nothing of the archive is
looked at before the signature is right. Below `plugins/` it holds what goes onto Python's path; MANIFEST says
which distributions those are and what they need.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.boot.places import Places
from node.model.size import MIB
from node.system.plugin_folders import BUNDLE, OF_THE_IMAGE, OF_THIS_BOOT, add_to_path
from node.system.time_limit import time_limit
from node.system.zip_files import BadArchiveError, ZipFile, read_zip

# Public keys in PEM, one a file; put there by node-image.
KEYS = Path("/usr/lib/nodecrust/plugin-keys")

MANIFEST = "nodecrust-plugins.json"
FILES = "plugins/"
FORMAT = 1

# As much as the initrd fetches (lib/plugins.sh).
MOST_BYTES = 32 * MIB

_SIGNATURE_BYTES = 64
_TIMEOUT_S = 10.0


class RefusedBundleError(Exception):
    """The bundle is not taken; the message says why, as the end of a sentence about it."""


def accept_bundle(places: Places) -> bool:
    """Unpack the bundle that this boot was given; whether there is one that was taken.

    Where it is refused nothing of it is unpacked, and the reason is left for `plugin_folders.refused_bundle`.
    """
    folder = places.run / BUNDLE.name
    if not (folder / "asked").exists() or (folder / "failed").exists():
        return False
    target = places.run / OF_THIS_BOOT.name
    try:
        with time_limit(_TIMEOUT_S):
            _unpack(_checked(folder, places.root / str(KEYS).lstrip("/")), target)
    except Exception as error:
        shutil.rmtree(target, ignore_errors=True)
        words = str(error) if isinstance(error, RefusedBundleError) else f"can't be taken: {error}"
        (folder / "failed").write_text(f"{' '.join(words.split())}\n", encoding="utf-8")
        return False
    finally:
        # It is memory.
        (folder / "bundle").unlink(missing_ok=True)
    return True


def _checked(folder: Path, keys: Path) -> dict[str, ZipFile]:
    """The files of a bundle whose signature and manifest are right, by their names below `plugins/`."""
    data = (folder / "bundle").read_bytes()
    _check_signature(data, (folder / "bundle.sig").read_bytes(), keys)
    _check_pin(data, folder / "sha256")
    try:
        files = read_zip(io.BytesIO(data))
    except BadArchiveError as error:
        raise RefusedBundleError(str(error)) from error
    if MANIFEST not in files:
        raise RefusedBundleError(f"has no {MANIFEST}: it is not made by node-image bundle-plugins")
    _check_manifest(json.loads(files.pop(MANIFEST).data))
    if foreign := [name for name in files if not name.startswith(FILES)]:
        raise RefusedBundleError(f"has {foreign[0]}, which is no part of a bundle")
    return {name.removeprefix(FILES): file for name, file in files.items()}


def _check_signature(data: bytes, signature: bytes, folder: Path) -> None:
    # A start without a bundle shall not pay for it.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    keys = sorted(folder.glob("*.pem")) if folder.is_dir() else []
    if not keys:
        raise RefusedBundleError(
            "can't be checked: this image has no key for plugins (node-image build --plugin-key)"
        )
    if len(signature) != _SIGNATURE_BYTES:
        raise RefusedBundleError(
            f"is not signed: its signature has {len(signature)} bytes, and not {_SIGNATURE_BYTES}"
        )
    for path in keys:
        key = load_pem_public_key(path.read_bytes())
        if isinstance(key, Ed25519PublicKey):
            try:
                key.verify(signature, data)
            except InvalidSignature:
                continue
            return
    raise RefusedBundleError(
        "has a wrong signature: it is damaged, not whole, or signed by a key that this image does not have"
    )


def _check_pin(data: bytes, path: Path) -> None:
    if path.exists():
        wanted = path.read_text(encoding="utf-8").strip()
        found = hashlib.sha256(data).hexdigest()
        if found != wanted:
            raise RefusedBundleError(f"has the SHA-256 {found}, and node.plugins.sha256 is {wanted}")


def _check_manifest(manifest: Mapping[str, Any]) -> None:
    if manifest.get("format") != FORMAT:
        raise RefusedBundleError(f"is of format {manifest.get('format')}, and this image knows {FORMAT}")
    # Those of the image count, whose folder is not on the path before plugins are loaded.
    add_to_path([OF_THE_IMAGE])
    for one in manifest["distributions"]:
        if version := _version(one["name"]):
            raise RefusedBundleError(
                f"brings {one['name']} {one['version']}, and this image has {version} of it"
            )
    for one in manifest["requires"]:
        if not _version(one["name"]):
            raise RefusedBundleError(f"needs {one['name']} for {one['by']}, which this image lacks")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _unpack(files: Mapping[str, ZipFile], target: Path) -> None:
    for name, file in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        path.chmod(0o755 if file.executable else 0o644)
