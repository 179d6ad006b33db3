"""A node in a temporary folder: its image, the root that runs, CONFIG, and a reboot."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from node.persist.kept import restore
from node.persist.kept_index import read_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_set import add, save
from node.system.files import FileCalls

UID, GID = os.getuid(), os.getgid()


@dataclass
class KeptNode:
    """`image` and `root` are two folders; without an overlay everything counts as touched."""

    folder: Path
    warnings: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        for name in ("image/etc", "config", "run"):
            (self.folder / name).mkdir(parents=True)
        self.accounts(user="tester", group="testers")
        self.boot()

    @property
    def places(self) -> KeptPlaces:
        return KeptPlaces(
            config=self.folder / "config",
            root=self.folder / "root",
            image=self.folder / "image",
            changes=self.folder / "no-overlay",
            record=self.folder / "run/kept.json",
            rendered=self.folder / "run/rendered.json",
            started=self.folder / "run/started.json",
            mounts=(),
        )

    def with_calls(self, calls: FileCalls) -> KeptPlaces:
        return replace(self.places, calls=calls)

    def accounts(self, *, user: str, group: str) -> None:
        self.image(
            "/etc/passwd", f"root:x:0:0::/root:/bin/sh\n{user}:x:{UID or 1000}:{GID or 1000}::/:/bin/sh\n"
        )
        self.image("/etc/group", f"root:x:0:\n{group}:x:{GID or 1000}:\n")

    def at(self, path: str) -> Path:
        return self.folder / "root" / path.lstrip("/")

    def image(self, path: str, text: str) -> Path:
        return _write(self.folder / "image" / path.lstrip("/"), text)

    def write(self, path: str, text: str) -> Path:
        return _write(self.at(path), text)

    def replace(self, path: str, text: str) -> None:
        """Write as most programs do: a new file, renamed over the old one."""
        self.write(path + ".tmp", text).replace(self.at(path))

    def add(self, *paths: str) -> None:
        add(self.places, paths)

    def save(self) -> None:
        save(self.places)

    def boot(self, *, rendered: Sequence[str] = (), declared: dict[str, list[str]] | None = None) -> None:
        """A root made anew of the image, with what is kept."""
        shutil.rmtree(self.folder / "root", ignore_errors=True)
        shutil.rmtree(self.folder / "run")
        (self.folder / "run").mkdir()
        shutil.copytree(self.folder / "image", self.folder / "root", symlinks=True)
        for path in rendered:
            self.write(path, "made from the state")
        self.places.rendered.write_text(json.dumps({"paths": list(rendered)}))
        # A machine that is busy with other things is no reason to leave a file out.
        self.warnings = restore(
            self.places.config,
            self.places.root,
            rendered=rendered,
            declared=declared,
            record=self.places.record,
            time_s=600,
        )

    def entries(self) -> dict[str, str]:
        return {entry.path: entry.kind.value for entry in read_index(self.places.kept).index.entries}

    def blobs(self) -> int:
        folder = self.places.kept / "blobs"
        return len(list(folder.iterdir())) if folder.is_dir() else 0


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
