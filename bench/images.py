"""Sizes of what the builder makes, against the limits that we set ourselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.measure import Report, Row

_MIB = 1 << 20
_LIMITS_MIB = {"aos": 120, "node": 300}
_INITRD_LIMIT_MB = 45


def build(kickstart: str, output: Path, *options: str) -> Path:
    """Build a kickstart of ours by the command that users have; give its output folder."""
    node_image = Path(sys.executable).parent / "node-image"
    subprocess.run([node_image, "build", kickstart, "--output", output, *options], check=True)
    return output


def measure() -> Report:
    """Build both profiles and weigh them."""
    rows = []
    largest = []
    for name, limit in _LIMITS_MIB.items():
        folder = build(f"kickstarts/{name}.ks", Path("build/bench") / name)
        sizes = {file: (folder / file).stat().st_size for file in ("vmlinuz", "initrd", "root.squashfs")}
        total = sum(sizes.values())
        rows.append(
            Row(
                f"{name}: kernel + initrd + root",
                f"{total / _MIB:.0f} MiB",
                " + ".join(f"{size / _MIB:.1f}" for size in sizes.values()),
                f"{total / _MIB / limit:.2f} of the limit",
                f"under {limit} MiB",
                total / _MIB < limit,
            )
        )
        initrd = sizes["initrd"] / 1e6
        rows.append(
            Row(
                f"{name}: initrd",
                f"{initrd:.1f} MB",
                "",
                f"{initrd / _INITRD_LIMIT_MB:.2f} of the limit",
                f"under {_INITRD_LIMIT_MB} MB",
                initrd < _INITRD_LIMIT_MB,
            )
        )
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        top = ", ".join(f"{p['name']} {p['size'] / _MIB:.0f}" for p in manifest["largest"][:10])
        largest.append(f"Largest packages of {name}, MiB unpacked: {top}.")
    return Report("Sizes", "make bench ONLY=images", " ".join(largest), tuple(rows))
