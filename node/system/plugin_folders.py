"""Where plugins lie that came with the image or with this boot, beside Debian's own packages."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, MutableSequence
from pathlib import Path

# Unpacked there by node-image: Python's packages and their metadata, as pip would lay them out.
OF_THE_IMAGE = Path("/usr/lib/nodecrust/plugins")
# The same, of a signed bundle that `node.plugins=URL` named at this boot.
OF_THIS_BOOT = Path("/run/node/plugins")

# What the initrd fetched: `asked` is the URL, `bundle` and `bundle.sig` what came of it, `sha256` its pin,
# `failed` why nothing came or nothing of it is used.
BUNDLE = Path("/run/node/plugin-bundle")

FOLDERS = (OF_THE_IMAGE, OF_THIS_BOOT)


def add_to_path(folders: Iterable[Path] = FOLDERS, path: MutableSequence[str] | None = None) -> None:
    """Have Python find what lies in the folders that exist, after everything else.

    At the end of the path, so that no module of a plugin takes the place of one of the image.
    """
    path = sys.path if path is None else path
    missing = [str(one) for one in folders if str(one) not in path and one.is_dir()]
    if missing:
        path.extend(missing)
        importlib.invalidate_caches()


def refused_bundle(folder: Path = BUNDLE) -> str:
    """Say why the bundle that this boot was told to take was not taken; "" where none was, or it was."""
    asked, why = _line(folder / "asked"), _line(folder / "failed")
    if not asked or (not why and folder.with_name(OF_THIS_BOOT.name).is_dir()):
        return ""
    # Whatever checks it may have been ended before it came to a word.
    return f"the bundle of plugins {asked} {why or 'was not checked at this start'}"


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
