"""Tells the serial consoles in one line that the node is up and how it is. Run by nodecrust-ready."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from node.boot.alarms import read_alarms
from node.boot.consoles import active_consoles, write_line
from node.boot.image_facts import RunningImage, running_image

# What scripts and tests wait for; it never changes.
PREFIX = "NODECRUST-READY"


def ready_line(image: RunningImage, faults: list[str]) -> str:
    """Give the one line: `NODECRUST-READY slot=a version=1.0 health=ok`."""
    health = f"bad: {'; '.join(faults)}" if faults else "ok"
    return (
        f"{PREFIX} slot={image.slot} version={image.version or 'unknown'} health={' '.join(health.split())}"
    )


def failed_units() -> list[str]:
    """Give the units that failed; a word of its own where systemd doesn't answer."""
    argv = ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full"]
    try:
        said = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ["systemd does not answer"]
    return [f"{line.split()[0]} failed" for line in said.stdout.splitlines() if line.strip()]


def missing_mounts(fstab: str, mounts: str) -> list[str]:
    """Give the folders of fstab that should be mounted and are not, in words."""
    mounted = {line.split()[1] for line in mounts.splitlines() if len(line.split()) > 1}
    missing = []
    for line in fstab.splitlines():
        fields = line.split("#")[0].split()
        if len(fields) >= 4 and fields[1].startswith("/") and "noauto" not in fields[3].split(","):
            missing += [f"{fields[1]} is not mounted"] if fields[1] not in mounted else []
    return missing


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def main() -> int:
    """Look and tell."""
    faults = read_alarms() + failed_units() + missing_mounts(_text("/etc/fstab"), _text("/proc/mounts"))
    line = ready_line(running_image(), faults)
    print(line)
    # On a screen it would stand in the middle of the login prompt; a serial line is read by scripts.
    write_line(line, (name for name in active_consoles() if not name.removeprefix("tty").isdigit()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
