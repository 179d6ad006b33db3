"""Signed bundles of plugins, which a node fetches at boot (node/boot/plugin_bundle.py)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from image.held import held_folder
from image.plugins.given import read_plugins
from image.plugins.keys import read_private_key
from image.plugins.plugin import FOLDER, Plugin
from image.plugins.requirements import debian_environment
from node.boot.plugin_bundle import FILES, FORMAT, MANIFEST, MOST_BYTES
from node.errors import InputError
from node.model.size import MIB

# The earliest that the format has: a bundle is known by its bytes, not by when it was made.
_TIME = (1980, 1, 1, 0, 0, 0)

# Debian 13's, for requirements that depend on it.
_PYTHON = "3.13.5"


def bundle_plugins(paths: Sequence[Path], key: Path, output: Path) -> dict[str, Any]:
    """Write a bundle and its signature, `output` and `output`.sig. Gives the bundle's manifest.

    The same plugins give the same bytes. Raises InputError where a plugin has files outside Python's folder,
    or the bundle would be larger than nodes take.
    """
    private = read_private_key(key)
    plugins = read_plugins(paths)
    for plugin in plugins:
        outside = sorted(path for path in plugin.files if not path.startswith(f"{FOLDER}/"))
        if outside:
            raise InputError(
                f"{plugin.source} has /{outside[0]}, and a bundle holds Python's modules alone",
                mend="put it into the image: node-image add-plugin",
            )
    manifest = _manifest(plugins)
    data = _archive(plugins, manifest)
    if len(data) > MOST_BYTES:
        raise InputError(
            f"the bundle has {len(data) / MIB:.1f} MiB, and nodes take {MOST_BYTES // MIB}",
            mend="put some of the plugins into the image: node-image add-plugin",
        )
    folder = output.absolute().parent
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder} to write {output.name} to")
    with held_folder(folder, f".{output.name}.new-") as beside:
        (beside / "bundle").write_bytes(data)
        (beside / "signature").write_bytes(private.sign(data))
        # A node that comes between the two refuses the one and tries again.
        (beside / "bundle").replace(output)
        (beside / "signature").replace(output.with_name(f"{output.name}.sig"))
    return manifest


def _manifest(plugins: Sequence[Plugin]) -> dict[str, Any]:
    distributions = [one for plugin in plugins for one in plugin.distributions]
    own = {one.key for one in distributions}
    requires = []
    for one in distributions:
        for requirement in map(Requirement, one.requires):
            marker = requirement.marker
            wanted = marker is None or marker.evaluate(debian_environment(_PYTHON))
            if wanted and canonicalize_name(requirement.name) not in own:
                requires.append({"name": canonicalize_name(requirement.name), "by": str(one)})
    return {
        "format": FORMAT,
        "distributions": [{"name": one.name, "version": one.version} for one in distributions],
        "requires": requires,
        "plugins": [plugin.record() for plugin in plugins],
    }


def _archive(plugins: Sequence[Plugin], manifest: dict[str, Any]) -> bytes:
    files = {
        FILES + path.removeprefix(f"{FOLDER}/"): file
        for plugin in plugins
        for path, file in plugin.files.items()
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:

        def add(name: str, data: bytes, mode: int) -> None:
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3  # Unix: the upper half of external_attr is a mode
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)

        add(MANIFEST, (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode(), 0o644)
        for name in sorted(files):
            add(name, files[name].data, 0o755 if files[name].executable else 0o644)
    return buffer.getvalue()
