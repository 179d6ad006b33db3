"""What `nodectl boot` adds to a start: on this machine, from the image itself; and its share of a VM's."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.images import build
from bench.measure import Report, Row
from node.testing.vm import (
    BootFrom,
    ContentServer,
    Disk,
    Machine,
    MachineSpec,
    Nic,
    RootShell,
    UserNetwork,
    choose_accel,
)
from node.testing.vm.shell import KERNEL_ARGUMENT

_RUNS = 5
_BOOTS = 3
_LIMIT_S = 0.5
_BOOT_LIMIT_S = 600
_UNIT = "nodecrust-render.service"
# systemd's catalogue: a unit is being started, and it is started (sd-messages.h).
_STARTING, _STARTED = "7d4958e842da4a758f6c1cdc7b36dcc5", "39f53479d3a045ac8e11786248231fbf"
_TIME_OF = (
    "journalctl --no-pager -b -o short-monotonic UNIT={unit} MESSAGE_ID={message}"
    " | sed -nE '1s/^\\[ *([0-9.]+)\\].*/\\1/p'"
)

# The root as the initrd stacks it, in namespaces of its own; the image was read once to check it.
_NATIVE = """\
cat "$1/root.squashfs" >/dev/null
mount -t tmpfs none "$2"
mkdir "$2/lower" "$2/over" "$2/root"
mount -o ro,loop "$1/root.squashfs" "$2/lower"
mkdir "$2/over/upper" "$2/over/work"
mount -t overlay -o "lowerdir=$2/lower,upperdir=$2/over/upper,workdir=$2/over/work" none "$2/root"
mkdir -p "$2/root/config"
cp "$3" "$2/root/config/node.yaml"
for folder in dev proc sys; do mount --rbind "/$folder" "$2/root/$folder"; done
mount -t tmpfs none "$2/root/run"
start=$EPOCHREALTIME
chroot "$2/root" /usr/bin/nodectl boot >/dev/null
printf '%s %s\\n' "$start" "$EPOCHREALTIME"
"""


@dataclass(frozen=True)
class _Boot:
    rendering_s: float
    whole_s: float


def measure() -> Report:
    """Install a VM, start it a few times, and render its state on this machine too."""
    image = build("kickstarts/node.ks", Path("build/bench/node"))
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="nodecrust-bench-") as name:
        folder = Path(name)
        boots, state = _boots(image, folder)
        native = _native_s(image, folder, state)
    rendering_s = statistics.median(boot.rendering_s for boot in boots)
    whole_s = statistics.median(boot.whole_s for boot in boots)
    rows = (
        Row(
            "nodectl boot on this machine",
            f"{native:.2f} s",
            "",
            f"{native / _LIMIT_S:.2f} of the limit",
            f"under {_LIMIT_S} s",
            native < _LIMIT_S,
        ),
        Row(
            "in a VM, from the kernel's start",
            f"{rendering_s:.1f} s",
            f"whole boot {whole_s:.1f} s",
            f"{rendering_s / whole_s:.1%} of it",
            "",
        ),
    )
    note = (
        f"Median of {_RUNS} runs in a root stacked anew from the image each time, and of {_BOOTS} boots of an"
        f" installed VM with one processor: {_UNIT} by the journal, the whole by systemd."
    )
    return Report("The stored configuration at boot", "make bench ONLY=rendering", note, rows)


def _boots(image: Path, folder: Path) -> tuple[list[_Boot], str]:
    """Install a machine; give what its starts took, and its state."""
    answers = folder / "answers.yaml"
    answers.write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "install": {"mode": "unattended", "afterwards": "poweroff"},
                "network": {"hostname": "bench"},
                "access": {"no_login": True},
                "boot": {"append": KERNEL_ARGUMENT, "timeout": 0},
            }
        )
    )
    accel = choose_accel(image / "vmlinuz", cache=folder)
    with ContentServer(image, log=folder / "serve.log", answers=answers) as server:
        bootfile = UserNetwork(bootfile=f"{server.url}/boot.ipxe")
        spec = MachineSpec(boot=(BootFrom.PXE,), disks=(Disk(serial="BENCH"),), nics=(Nic(network=bootfile),))
        with Machine(spec, folder / "vm", accel=accel, name="installation") as machine:
            machine.wait_until_off(timeout_s=_BOOT_LIMIT_S)
    spec = MachineSpec(disks=(Disk(serial="BENCH"),), nics=(Nic(network=UserNetwork()),), debug_serial=True)
    found = []
    with Machine(spec, folder / "vm", accel=accel) as machine:
        for number in range(_BOOTS):
            if number:
                machine.reset()
            machine.expect("NODECRUST-READY", timeout_s=_BOOT_LIMIT_S)
            machine.shell.wait_until_ready(timeout_s=60)
            found.append(_read_boot(machine.shell))
        state = machine.shell.run("cat /config/node.yaml", check=True).output
    return found, state


def _read_boot(shell: RootShell) -> _Boot:
    # A line each, read in the guest: a serial line that is busy doubles letters.
    at = {
        message: float(shell.run(_TIME_OF.format(unit=_UNIT, message=message), check=True).output)
        for message in (_STARTING, _STARTED)
    }
    whole = shell.run("systemctl show --value --property FinishTimestampMonotonic", check=True).output
    return _Boot(at[_STARTED] - at[_STARTING], int(whole) / 1e6)


def _native_s(image: Path, folder: Path, state: str) -> float:
    (folder / "node.yaml").write_text(state)
    words = [] if os.geteuid() == 0 else ["sudo"]
    command = [*words, "unshare", "--mount", "--uts", "bash", "-euc", _NATIVE, "bash"]
    seconds = []
    for run in range(_RUNS):
        where = folder / f"root-{run}"
        where.mkdir()
        arguments = [str(image.absolute()), str(where), str(folder / "node.yaml")]
        said = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout
        start, end = said.split()
        seconds.append(float(end) - float(start))
    return statistics.median(seconds)
