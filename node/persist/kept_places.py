"""Where everything is that kept files need: CONFIG, the root that runs, its image and what changed since."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from node.errors import InputError
from node.persist.kept_index import KEPT
from node.persist.kept_owners import read_accounts
from node.persist.kept_record import RECORD
from node.persist.kept_scan import Tree
from node.system.entries import read_facts
from node.system.files import FileCalls
from node.system.mounts import read_mounts


@dataclass(frozen=True)
class KeptPlaces:
    """All of them; below a temporary folder in tests. `mounts` is None for those of the kernel."""

    config: Path = Path("/config")
    root: Path = Path("/")
    image: Path = Path("/run/node/lower")
    changes: Path = Path("/run/node/overlay/upper")
    record: Path = RECORD
    rendered: Path = Path("/run/node/rendered.json")
    started: Path = Path("/run/node/started.json")
    mounts: tuple[str, ...] | None = None
    calls: FileCalls = os

    @property
    def kept(self) -> Path:
        """The folder of the index and the blobs."""
        return self.config / KEPT

    @property
    def has_config(self) -> bool:
        """Whether CONFIG is there, and not just the folder that it would be mounted on."""
        return self.config.is_dir() and (self.mounts is not None or str(self.config) in self._mounts())

    def tree(self) -> Tree:
        """Give the running root as it can be looked into now."""
        return Tree(
            self.root,
            read_accounts(self.root),
            image=self.image if (self.image / "etc").is_dir() else None,
            changes=self.changes if self.changes.is_dir() else None,
            rendered=frozenset(self.rendered_paths()),
            mounts=frozenset(self._mounts()),
        )

    def rendered_paths(self) -> list[str]:
        """Give the paths made from the state at this boot, as it noted them."""
        try:
            paths = json.loads(self.rendered.read_text(encoding="utf-8"))["paths"]
            return [path for path in paths if isinstance(path, str)]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def canonical(self, given: Path) -> str:
        """Give a path of the root as it is kept: absolute, through no symlink, itself one where it is one."""
        try:
            absolute = Path(os.path.abspath(given))  # noqa: PTH100 - `..` goes as in a shell, link by link
        except FileNotFoundError:
            raise InputError(
                f"{given} is below the current folder, which is gone", mend="Give a path that begins with /"
            ) from None
        if absolute == absolute.parent:
            return "/"
        inside = (self.root / str(absolute.parent).lstrip("/")).resolve()
        where = "/" + str(inside.relative_to(self.root.resolve())) if inside != self.root.resolve() else ""
        return f"{where}/{absolute.name}".replace("/./", "/")

    def why_not_a_file(self, path: str) -> str:
        """Say what a path is that is neither file nor folder nor symlink, "" where it is one of them."""
        try:
            facts = read_facts(self.root / path.lstrip("/"), with_xattrs=False)
        except OSError as error:
            return f"it can't be read: {error.strerror}"
        if facts is None:
            return "there is nothing of that name"
        return f"it is {facts.other_kind}, which has no contents to keep" if facts.other_kind else ""

    def room(self) -> tuple[int, int]:
        """Give the bytes of CONFIG: in all, and free."""
        status = os.statvfs(self.config)
        return status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize

    def _mounts(self) -> tuple[str, ...]:
        if self.mounts is not None:
            return self.mounts
        return tuple(str(mount.where) for mount in read_mounts() if mount.where != Path("/"))
