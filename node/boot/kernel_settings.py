"""Alarms for settings of the kernel that are not in force: run by nodecrust-kernel-settings at boot."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from node.boot.alarms import ALARMS, raise_alarms
from node.plugins.kernel.sysctl import parts_of

MODULES = "etc/modules-load.d/90-nodecrust.conf"
OPTIONS = "etc/modprobe.d/90-nodecrust.conf"
SYSCTL = "etc/sysctl.d/90-nodecrust.conf"
# Below these stand interfaces, which come and go; udev has their settings made when they come.
_OF_INTERFACES = ("conf", "neigh")


def missing(root: Path) -> tuple[str, ...]:
    """Name each rendered sysctl key that the kernel below `root` lacks, and each module that it hasn't.

    Also each option that a module hasn't taken: the initrd loads drivers before there are any.
    """
    found = []
    for line in _lines(root / MODULES):
        name = line.replace("-", "_")
        if not (root / "sys/module" / name).exists() and name not in _built_in(root):
            found.append(f"module {line} could not be loaded (kernel.modules)")
    for line in _lines(root / OPTIONS):
        if line.startswith("options "):
            found += _not_taken(root / "sys/module", line)
    for line in _lines(root / SYSCTL):
        key = line.partition(" = ")[0]
        parts = parts_of(key)
        if parts[0] == "net" and parts[2:3] and parts[2] in _OF_INTERFACES:
            continue
        if not any((root / "proc/sys").glob("/".join(parts))):
            found.append(f"the kernel has no {key} (kernel.sysctl)")
    return tuple(found)


def _not_taken(modules: Path, line: str) -> list[str]:
    """Compare numbers and yes-or-no only: the kernel shows other values in forms of its own."""
    _, module, *options = shlex.split(line)
    found = []
    for option in options:
        name, _, wanted = option.partition("=")
        try:
            text = (modules / module.replace("-", "_") / "parameters" / name).read_text(encoding="ascii")
        except (OSError, UnicodeError):
            continue
        actual = {"Y": "1", "N": "0"}.get(text.strip(), text.strip())
        if wanted.isdigit() and actual.isdigit() and int(wanted) != int(actual):
            found.append(
                f"{module} has {name}={text.strip()} and not {wanted} (kernel.options): where the initrd "
                f"loads it, write {module}.{name}={wanted} in boot.append"
            )
    return found


def _built_in(root: Path) -> set[str]:
    """Give what the image's kernels have within them, which stands below /sys/module only at times."""
    lists = (root / "usr/lib/modules").glob("*/modules.builtin")
    return {Path(line).stem.replace("-", "_") for path in lists for line in _lines(path)}


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def main(root: Path = Path("/"), alarms: Path = ALARMS) -> int:
    """Look and tell."""
    raise_alarms(missing(root), path=alarms)
    return 0


if __name__ == "__main__":
    sys.exit(main())
