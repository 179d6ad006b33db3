"""A thousand kept files: what they take on CONFIG, and how long a boot puts them back, against tar."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.measure import Report, Row, pairs, quietly, seconds
from node.model.size import format_size
from node.persist.kept_places import KeptPlaces
from node.persist.kept_set import add, save

_FILES = 1000
_FOLDERS = 50
_LIMIT_S = 0.5
# The whole of what a boot does for them, in a process of its own, with what Python has to load.
_RESTORE = """
import sys
from pathlib import Path
from node.persist.kept import restore
config, root, record = map(Path, sys.argv[1:])
assert restore(config, root, record=record) == ()
"""


def measure() -> Report:
    """Make a node in a temporary folder, keep a thousand files of 1 to 8 KiB there, and put them back."""
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp", prefix="nodecrust-bench-") as name,
        # A node's root is in memory.
        tempfile.TemporaryDirectory(dir="/dev/shm", prefix="nodecrust-bench-") as memory,
    ):
        return _measure(Path(name), Path(memory))


def _measure(folder: Path, memory: Path) -> Report:
    places = _node(folder)
    contents = _fill(places.root / "etc/app")
    adding_s = seconds(lambda: add(places, ["/etc/app"]))
    unchanged_s = seconds(lambda: save(places))
    archive = folder / "peer.tar"
    quietly(["tar", "--xattrs", "-C", str(places.root), "-cpf", str(archive), "etc/app"])
    synced_s = seconds(partial(_copy_and_sync, archive, folder / "synced"))
    new, record = memory / "new", folder / "run/new.json"
    ours, other, ratio = pairs(
        partial(quietly, [sys.executable, "-I", "-c", _RESTORE, str(places.config), str(new), str(record)]),
        partial(quietly, ["tar", "--xattrs", "-C", str(new), "-xpf", str(archive)]),
        between=partial(_empty, new),
    )
    on_disk, archived = _size(places.kept), archive.stat().st_size
    rows = (
        Row(
            "size on CONFIG",
            format_size(on_disk),
            f"tar {format_size(archived)}, contents {format_size(contents)}",
            f"{on_disk / archived:.2f}x",
            "under 3x",
            on_disk < 3 * archived,
        ),
        Row(
            "put back, every SHA-256 checked",
            f"{ours:.2f} s",
            f"tar {other:.2f} s",
            f"{ratio:.1f}x",
            f"under {_LIMIT_S} s",
            ours < _LIMIT_S,
        ),
        Row(
            "kept at once, safe from a power cut",
            f"{adding_s:.2f} s",
            f"tar and sync {synced_s:.2f} s",
            f"{adding_s / synced_s:.1f}x",
            "",
        ),
        Row("saved where nothing changed", f"{unchanged_s:.2f} s", "", "", "", None),
    )
    note = (
        f"{_FILES} files of 1 to 8 KiB in {_FOLDERS} folders. Putting back from this machine's disk into"
        " memory, by a process of its own: median of five pairs, run in turn."
    )
    return Report("Kept files", "make bench ONLY=kept", note, rows)


def _node(folder: Path) -> KeptPlaces:
    for name in ("config", "root/etc", "image/etc", "upper", "run"):
        (folder / name).mkdir(parents=True)
    return KeptPlaces(
        config=folder / "config",
        root=folder / "root",
        image=folder / "image",
        changes=folder / "no-overlay",
        record=folder / "run/kept.json",
        rendered=folder / "run/rendered.json",
        started=folder / "run/started.json",
        mounts=(),
    )


def _fill(top: Path) -> int:
    chance = random.Random(4)
    total = 0
    for number in range(_FILES):
        path = top / f"{number % _FOLDERS:02}" / f"file-{number:04}.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        contents = chance.randbytes(chance.randrange(1024, 8192))
        path.write_bytes(contents)
        total += len(contents)
    return total


def _copy_and_sync(archive: Path, target: Path) -> None:
    target.mkdir()
    quietly(["tar", "-C", str(target), "-xpf", str(archive)])
    subprocess.run(["sync", "-f", target], check=True)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "etc").mkdir(parents=True)


def _size(folder: Path) -> int:
    """Give what a folder takes on its disk, in bytes."""
    return sum(
        os.lstat(Path(where) / name).st_blocks * 512
        for where, folders, names in os.walk(folder)
        for name in (*folders, *names)
    )
