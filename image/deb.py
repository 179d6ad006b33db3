"""Our own package as a Debian package, made from the distribution that is installed here."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import node
from image.process import run
from node.errors import NodeError

PACKAGE = "nodecrust"

# PyPI's names and Debian's, where `python3-NAME` isn't it.
_DEBIAN_NAMES: Mapping[str, str] = {
    "libvirt-python": "python3-libvirt",
    "pyparted": "python3-parted",
    "pyyaml": "python3-yaml",
}

# What nodectl calls besides Python.
_PROGRAMS = ("netplan.io", "systemd")

_UNIT_SUFFIXES = frozenset({".service", ".target", ".timer", ".path", ".socket", ".mount"})

# Folders of the package whose files have their place somewhere else in the system.
_ELSEWHERE = (("boot", "units"), ("boot", "profile.d"))

_NODECTL = """#!/usr/bin/python3
# Made by node-image.
import sys

from node.cli.main import main

sys.exit(main())
"""


@dataclass(frozen=True)
class DebPackage:
    """A built package: its file, version, and the digest of what is in it."""

    path: Path
    version: str
    depends: tuple[str, ...]


def debian_name(requirement: str) -> str:
    """Debian's package for a requirement of PyPI, as `pyyaml>=6.0` -> `python3-yaml`."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    if match is None:
        raise NodeError(f"{requirement!r} is no requirement")
    name = re.sub(r"[-_.]+", "-", match.group()).lower()
    return _DEBIAN_NAMES.get(name, f"python3-{name}")


def depends(requirements: Iterable[str]) -> tuple[str, ...]:
    """Debian's packages that the node needs; the extras (`; extra == ...`) are not among them."""
    needed = {debian_name(one) for one in requirements if "extra ==" not in one}
    return tuple(sorted({"python3", *_PROGRAMS, *needed}))


def of_this_installation() -> tuple[str, ...]:
    """`depends` of the distribution that runs here."""
    return depends(importlib.metadata.requires(PACKAGE) or ())


def build(folder: Path, *, epoch: int, package_root: Path | None = None) -> DebPackage:
    """Write `nodecrust_VERSION_all.deb` into a folder; the same sources give the same bytes.

    `package_root` is the folder of the package `node`, by default the one that runs here.
    """
    root = package_root or Path(node.__file__).parent
    tree = folder / "deb"
    python = tree / "usr/lib/python3/dist-packages"
    units = tree / "usr/lib/systemd/system"
    _copy_package(root, python / "node")
    unit_names = _copy_units(root / "boot/units", units)
    _copy_profile(root / "boot/profile.d", tree / "etc/profile.d")
    _write_metadata(python)
    _write(tree / "usr/bin/nodectl", _NODECTL, mode=0o755)
    digest = _digest(tree)
    version = f"{importlib.metadata.version(PACKAGE)}+{digest[:8]}"
    needed = of_this_installation()
    _write(tree / "DEBIAN/control", _control(version, needed))
    _write(tree / "DEBIAN/postinst", _postinst(_enabled(units, unit_names)), mode=0o755)
    _write(tree / "DEBIAN/prerm", _PRERM, mode=0o755)
    path = folder / f"{PACKAGE}_{version}_all.deb"
    argv: list[str | Path] = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z3", "--build", tree, path]
    run(argv, env={"SOURCE_DATE_EPOCH": str(epoch)}, brief="our own package can't be built")
    shutil.rmtree(tree)
    return DebPackage(path, version, needed)


def _copy_package(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if "__pycache__" in inside.parts or inside.parts[:2] in _ELSEWHERE or not path.is_file():
            continue
        _write(target / inside, path.read_bytes())


def _copy_units(source: Path, target: Path) -> list[str]:
    """Units and their drop-ins, `NAME.service.d/*.conf`; the names of the units themselves."""
    names = []
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        inside = path.relative_to(source)
        if path.is_file() and (path.suffix in _UNIT_SUFFIXES or inside.parent.suffix == ".d"):
            _write(target / inside, path.read_bytes())
            if len(inside.parts) == 1:
                names.append(path.name)
    return names


def _copy_profile(source: Path, target: Path) -> None:
    """Parts of the shells' start, which /etc/profile reads."""
    for path in sorted(source.glob("*.sh")):
        _write(target / path.name, path.read_bytes())


def _enabled(units: Path, names: Sequence[str]) -> list[str]:
    return [name for name in names if "[Install]" in (units / name).read_text(encoding="utf-8")]


def _write_metadata(python: Path) -> None:
    distribution = importlib.metadata.distribution(PACKAGE)
    folder = python / f"{PACKAGE}-{distribution.version}.dist-info"
    metadata = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    _write(folder / "METADATA", metadata)
    # The image holds the node only: node-image and node-server stay with those who build and serve.
    points = [
        point
        for point in distribution.entry_points
        if point.group not in ("console_scripts", "gui_scripts") or point.name == "nodectl"
    ]
    groups: dict[str, list[str]] = {}
    for point in points:
        groups.setdefault(point.group, []).append(f"{point.name} = {point.value}")
    blocks = ["\n".join([f"[{group}]", *sorted(lines), ""]) for group, lines in sorted(groups.items())]
    _write(folder / "entry_points.txt", "\n".join(blocks))
    _write(folder / "INSTALLER", "dpkg\n")


def _control(version: str, needed: Sequence[str]) -> str:
    return (
        f"Package: {PACKAGE}\n"
        f"Version: {version}\n"
        "Architecture: all\n"
        "Maintainer: Nodecrust <root@localhost>\n"
        f"Depends: {', '.join(needed)}\n"
        "Recommends: python3-libvirt\n"
        "Section: admin\n"
        "Priority: optional\n"
        "Description: installs and configures a thin, immutable node\n"
        " nodectl with its installer, its built-in plugins and its boot services.\n"
    )


def _postinst(enabled: Sequence[str]) -> str:
    enable = f"    systemctl --no-reload enable {' '.join(enabled)}\n" if enabled else ""
    return (
        "#!/bin/sh\nset -e\n"
        'if [ "$1" = configure ]; then\n'
        "    if command -v py3compile >/dev/null; then py3compile -p nodecrust; fi\n"
        f"{enable}"
        "fi\n"
    )


_PRERM = """#!/bin/sh
set -e
if command -v py3clean >/dev/null; then py3clean -p nodecrust; fi
"""


def _digest(tree: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(tree)}\0{path.stat().st_mode:o}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _write(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
