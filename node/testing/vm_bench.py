"""A built image in QEMU with a plugin in it: what the fixture `vm` boots."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from node.testing.vm import (
    BootFrom,
    ContentServer,
    Disk,
    Machine,
    MachineSpec,
    Nic,
    UserNetwork,
    choose_accel,
)
from node.testing.vm.shell import KERNEL_ARGUMENT

# Without KVM a boot takes minutes.
BOOT_LIMIT_S = 900.0


class VmBench:
    """Boots machines from an image, each in a folder of its own below `folder`; `close` ends them all."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image = image
        self._folder = folder
        self._stack = ExitStack()
        self._count = 0

    def boot(
        self,
        *plugins: Path,
        answers: str = "",
        append: Sequence[str] = (),
        disks: Sequence[Disk] = (Disk(serial="ALPHA"),),
        qemu: Sequence[str] = (),
        timeout_s: float = BOOT_LIMIT_S,
    ) -> Machine:
        """Boot the installer over the network, with `plugins` (.whl or .deb) added to the image.

        `answers` is a document in YAML that the machine is given, `append` further kernel arguments. Comes
        back when the root shell answers: `machine.shell.run("nodectl plugins")`. Without answers nothing is
        installed; with `install: {mode: unattended}` the machine goes on by itself. `qemu` are words for QEMU
        itself: `("-smbios", "type=1,manufacturer=Acme")` makes it one of a vendor's machines.
        """
        self._count += 1
        folder = self._folder / f"machine-{self._count}"
        folder.mkdir()
        given: Path | None = None
        if answers:
            given = folder / "answers.yaml"
            given.write_text(answers, encoding="utf-8")
        server = self._stack.enter_context(
            ContentServer(
                self._with(plugins, folder) if plugins else self._image,
                log=folder / "serve.log",
                answers=given,
                append=(KERNEL_ARGUMENT, *append),
            )
        )
        spec = MachineSpec(
            boot=(BootFrom.PXE, BootFrom.DISK),
            disks=tuple(disks),
            nics=(Nic(network=UserNetwork(bootfile=f"{server.url}/boot.ipxe")),),
            debug_serial=True,
            extra_arguments=tuple(qemu),
        )
        machine = self._stack.enter_context(
            Machine(spec, folder / "vm", accel=choose_accel(self._image / "vmlinuz"))
        )
        machine.shell.wait_until_ready(timeout_s=timeout_s)
        return machine

    def close(self) -> None:
        """End every machine and server."""
        self._stack.close()

    def _with(self, plugins: Sequence[Path], folder: Path) -> Path:
        output = folder / "image"
        program = str(Path(sys.executable).with_name("node-image"))
        argv = (program, "add-plugin", str(self._image), *map(str, plugins), "--output", str(output))
        added = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert added.returncode == 0, f"{' '.join(argv)}:\n{added.stdout}{added.stderr}"
        return output
