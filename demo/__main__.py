"""`python -m demo`: what `make demo` and `make demo-shell` run."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from demo.plan import ADMIN, Place, Way
from demo.progress import choose_progress
from demo.stages import DemoError, open_shell, run_demo
from node.testing.vm import Accel, Firmware, MachineFailure

INTERRUPTED = 130


@click.command()
@click.option("--firmware", type=click.Choice(["bios", "uefi"]), default="bios")
@click.option("--boot", "way", type=click.Choice(["pxe", "usb"]), default="pxe")
@click.option("--accel", type=click.Choice(["auto", "kvm", "tcg"]), default="auto")
@click.option("--kickstart", type=click.Path(path_type=Path, exists=True), default=Path("kickstarts/node.ks"))
@click.option("--folder", type=click.Path(path_type=Path), default=Path("build/demo"))
@click.option("--shell", is_flag=True, help="Log in to the node that the last demo left.")
def main(firmware: str, way: str, accel: str, kickstart: Path, folder: Path, *, shell: bool) -> None:
    """Build the image, boot a blank VM, install it, start it from its disk, have it register."""
    # A stop from outside tidies up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = choose_progress()
    place = Place(folder)
    begun = time.monotonic()
    try:
        if shell:
            sys.exit(open_shell(place, progress))
        run_demo(
            place,
            kickstart,
            firmware=Firmware(firmware),
            way=Way(way),
            accel=None if accel == "auto" else Accel(accel),
            progress=progress,
        )
    except (DemoError, MachineFailure) as error:
        progress.say(f"\nThe demo stopped: {error}")
        _show_logs(place, progress.say)
        sys.exit(1)
    except KeyboardInterrupt:
        progress.say("\nInterrupted; the virtual machine is off.")
        sys.exit(INTERRUPTED)
    password = place.password.read_text().strip()
    progress.say(f"""A blank machine became a node in {(time.monotonic() - begun) / 60:.1f} minutes.

  make demo-shell             log in and look around (seconds: the node was frozen, nothing runs now)
    nodectl status            how it is
    nodectl inventory         what the machine is
    cat /proc/mounts          read-only root, what lasts on partitions of its own
    sudo nodectl register     where it stands with its management server, which runs along with it
  console login               {ADMIN} / {password}
  what it was told            {place.answers}
  what its console said       {place.machine / "ttyS0.log"}
  its server's CA, database   {place.server}   (.venv/bin/node-server events --data {place.server})
  the image, ready to serve   {place.image}   (.venv/bin/node-image serve {place.image})
""")


def _show_logs(place: Place, say: Callable[[str], None]) -> None:
    logs = (*sorted(place.folder.glob("*.log")), *sorted(place.machine.glob("*.log")))
    if logs:
        say("\nLogs:\n" + "\n".join(f"  {path}" for path in logs))


if __name__ == "__main__":
    main()
