"""Faults put into a boot: an initrd with a script of the test that runs just before `nodectl boot`.

An initrd is a row of archives, so nothing of the image is changed. The script has the initrd's programs, the
new root at /sysroot (an overlay: what is written there is gone with the boot) and CONFIG at /sysroot/config.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

UNIT = "etc/systemd/system/nodecrust-render.service.d/plant.conf"
SCRIPT = "plant/run"
_DROP_IN = f"[Service]\nExecStartPre=/bin/bash -eux /{SCRIPT}\n"
_FOLDER, _FILE = 0o40755, 0o100644

#: A plugin as a distribution would bring it, for `plugin`.
_MODULES = "/sysroot/usr/lib/python3/dist-packages"


def planted_initrd(initrd: Path, output: Path, script: str) -> Path:
    """Write an initrd that does as `initrd`, and runs `script` by bash before the state is rendered."""
    archive = b"".join(_archive({UNIT: _DROP_IN, SCRIPT: script}))
    output.write_bytes(archive + bytes(-len(archive) % 512) + initrd.read_bytes())
    return output


def plugin(name: str, code: str) -> str:
    """Give the part of a script that installs a plugin of this name."""
    info = f"{_MODULES}/{name}-1.0.dist-info"
    return (
        f"mkdir -p {info}\n"
        f"printf 'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n' >{info}/METADATA\n"
        f"printf '[nodecrust]\\n{name} = {name}\\n' >{info}/entry_points.txt\n"
        f"cat >{_MODULES}/{name}.py <<'END'\n{code}END\n"
    )


def _archive(files: Mapping[str, str]) -> Iterator[bytes]:
    """Give a cpio archive, "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst)."""
    folders = {str(parent) for name in files for parent in Path(name).parents if parent != Path()}
    for name in sorted(folders):
        yield _entry(name, _FOLDER, b"")
    for name, text in files.items():
        yield _entry(name, _FILE, text.encode())
    yield _entry("TRAILER!!!", 0, b"")


def _entry(name: str, mode: int, data: bytes) -> bytes:
    path = name.encode() + b"\0"
    # Inode, mode, owner, group, links, time, size, two devices, length of the name, checksum.
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
