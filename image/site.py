"""What `node-image serve` serves: the PXE set, with its configuration rendered for this server."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from image import pxe
from image.menus import Boot
from image.output import label_of
from node.errors import InputError


@dataclass(frozen=True)
class Site:
    """Names and what they lead to: rendered content first, then the files below `root`."""

    root: Path
    rendered: dict[str, bytes] = field(default_factory=dict)

    def find(self, name: str) -> Path | bytes | None:
        """What a name of a URL or of a TFTP request leads to; never anything outside the root."""
        inside = name.lstrip("/")
        if inside in self.rendered:
            return self.rendered[inside]
        try:
            path = (self.root / inside).resolve()
            return path if path.is_relative_to(self.root.resolve()) and path.is_file() else None
        except (OSError, ValueError):
            # Too long, or with a zero byte: no file has such a name.
            return None


def read_boot(folder: Path) -> Boot:
    """The boot values of an output folder, by its manifest. Raises InputError where it is none."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        root = manifest["files"]["root.squashfs"]
        return Boot(
            label=label_of(root["sha256"]),
            sha256=root["sha256"],
            size=root["size"],
            append=manifest["boot"]["append"],
            timeout_s=manifest["boot"]["timeout"],
            title=f"{manifest['name']} {manifest['version']}",
        )
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{folder} holds no image",
            details=f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error),
            mend="build one: node-image build KICKSTART --output DIR",
        ) from error


def site(
    folder: Path, *, base_url: str | None, http_port: int, append: str = "", answers: Path | None = None
) -> Site:
    """The site of an output folder. Raises InputError where the folder or the answers can't be read.

    Without `base_url` the boot loaders name the host that they were served from. Answers are served as
    /answers.yaml, and their digest goes into the kernel arguments with their address.
    """
    boot = read_boot(folder).with_append(append)
    rendered: dict[str, bytes] = {}
    digest = None
    if answers is not None:
        try:
            content = answers.read_bytes()
        except OSError as error:
            raise InputError(f"{answers}: {error.strerror}") from error
        rendered["answers.yaml"] = content
        digest = hashlib.sha256(content).hexdigest()
    texts = pxe.configuration(boot, base_url=base_url, http_port=http_port, answers_sha256=digest)
    rendered |= {name: text.encode() for name, text in texts.items()}
    return Site(folder / "pxe", rendered)
