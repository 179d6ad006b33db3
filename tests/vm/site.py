"""A site in miniature: the image, a server that serves it, answers, and machines that boot from it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from node.testing.vm import (
    Accel,
    BootFrom,
    ContentServer,
    Disk,
    Machine,
    MachineSpec,
    Nic,
    UserNetwork,
    make_ssh_key,
)
from node.testing.vm.shell import KERNEL_ARGUMENT

#: yescrypt of "not a secret".
PASSWORD_HASH = "$y$j9T$LQEQUj9sV3TS5zwATamgI0$0RQ.d638p3OwtwpC9Fq72Y3zlKl2zzN1.4qRD0KYVvB"

#: Guards against attacks that no test is about: without them an emulated boot takes a tenth less. And a clock
#: that a host with much to do makes look unstable is replaced by one that costs far more.
QUICK = ("mitigations=off", "init_on_alloc=0", "audit=0", "tsc=reliable")

_port_names = itertools.count()


@dataclass
class Site:
    """What the stories of one worker share."""

    image: Path
    folder: Path
    #: What outlives a run.
    cache: Path
    accel: Accel
    servers: list[ContentServer] = field(default_factory=list)

    @property
    def key(self) -> Path:
        """The key that the answers let in; it outlives a run as the disks do that it opens."""
        return self.cache / "ssh-key"

    def answers(self, disk: Mapping[str, Any], **sections: Mapping[str, Any]) -> Path:
        """Write a document of answers for an unattended installation onto ``disk``; give its path."""
        document: dict[str, Any] = {
            "version": 1,
            "install": {"mode": "unattended"},
            "storage": {"disk": dict(disk)},
            "network": {"hostname": "node-under-test"},
            "access": {
                "admin": {
                    "name": "admin",
                    "password_hash": PASSWORD_HASH,
                    "ssh_keys": [make_ssh_key(self.key)],
                }
            },
            # So that a test can look into the installed node as root. Two consoles on one emulated processor
            # are for the stories that look at them.
            "boot": {"append": " ".join((KERNEL_ARGUMENT, "node.console=login", *QUICK))},
        }
        for name, section in sections.items():
            document[name] = {**document.get(name, {}), **section}
        path = self.folder / f"answers-{next(_port_names)}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path

    @contextmanager
    def serve(
        self, *, answers: Path | None = None, append: Sequence[str] = (), port: int | None = None
    ) -> Iterator[ContentServer]:
        """Serve the image to machines of this host; they get a root shell on ttyS1."""
        server = ContentServer(
            self.image,
            log=self.folder / f"serve-{next(_port_names)}.log",
            answers=answers,
            append=(KERNEL_ARGUMENT, *QUICK, *append),
            port=port,
        )
        with server:
            yield server

    def remaster(self, name: str, *words: str) -> Path:
        """Give an ISO of this name with kernel arguments and answers of our own."""
        output = self.folder / name
        node_image("iso", self.image, "--output", output, *words)
        return output

    def start_directly(self, arguments: str, *, initrd: Path | None = None) -> tuple[str, ...]:
        """Words for QEMU that start the image's kernel without a boot loader, which saves its time.

        `arguments` are those of the kernel, without the boot loader's own.
        """
        words = (word for word in arguments.split() if not word.startswith("BOOT_IMAGE="))
        return (
            *("-kernel", str((self.image / "vmlinuz").absolute())),
            *("-initrd", str((initrd or self.image / "initrd").absolute())),
            *("-append", " ".join(words)),
        )

    def machine(self, name: str, spec: MachineSpec) -> Machine:
        """Give a machine with a folder of its own and a root shell on ttyS1."""
        return Machine(replace(spec, debug_serial=True), self.folder / name, accel=self.accel, name=name)


def node_image(*words: str | Path) -> None:
    """Run node-image, which must succeed."""
    program = Path(sys.executable).with_name("node-image")
    done = subprocess.run(
        [program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def ipxe(server: ContentServer) -> Nic:
    """A card whose ROM is iPXE, as QEMU's are: one script over HTTP."""
    return Nic(network=UserNetwork(bootfile=f"{server.url}/boot.ipxe"))


def tftp(server: ContentServer, folder: Path, bootfile: str, *, rom: bool = False) -> Nic:
    """A card that boots ``bootfile`` over TFTP; without ``rom`` by the firmware's own PXE."""
    root = server.make_tftp_root(folder)
    return Nic(network=UserNetwork(tftp_root=root, bootfile=bootfile), option_rom=rom)


PXE_FIRST = (BootFrom.PXE, BootFrom.DISK)
ALPHA = Disk(serial="ALPHA")
