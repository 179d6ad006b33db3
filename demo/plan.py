"""What the demo was asked to do, and where it keeps its things."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from image.password import deterministic_hash
from node.testing.vm import (
    Accel,
    BootFrom,
    Disk,
    Firmware,
    MachineSpec,
    Nic,
    UserNetwork,
    make_ssh_key,
)

ADMIN = "admin"
HOST_NAME = "demo-node"
DISK = Disk(serial="DEMODISK")
MAC = "52:54:00:00:00:01"
#: The name of the snapshot that `make demo-shell` goes on from.
SNAPSHOT = "installed"


class Way(StrEnum):
    """How the blank machine gets the image."""

    PXE = "pxe"
    USB = "usb"


@dataclass(frozen=True)
class Place:
    """The demo's folder, ignored by git."""

    folder: Path

    @property
    def image(self) -> Path:
        """What node-image build made."""
        return self.folder / "image"

    @property
    def stick(self) -> Path:
        """The ISO with the demo's answers in it."""
        return self.folder / "stick.iso"

    @property
    def machine(self) -> Path:
        """The virtual machine: its disk and its logs."""
        return self.folder / "machine"

    @property
    def key(self) -> Path:
        """The throw-away SSH key."""
        return self.folder / "ssh-key"

    @property
    def password(self) -> Path:
        """The throw-away password, for the login prompt of the console."""
        return self.folder / "password"

    @property
    def answers(self) -> Path:
        """What the installation is told."""
        return self.folder / "answers.yaml"

    @property
    def server(self) -> Path:
        """The management server: its CA and its database."""
        return self.folder / "server"

    @property
    def settings(self) -> Path:
        """How the machine of the last demo was made."""
        return self.folder / "machine.json"

    def log(self, name: str) -> Path:
        """The log of one stage."""
        return self.folder / f"{name}.log"


@dataclass(frozen=True)
class Settings:
    """What has to be the same when the machine is started again."""

    firmware: Firmware
    way: Way
    accel: Accel
    #: Of the management server, which the node knows by it.
    port: int

    def save(self, path: Path) -> None:
        """Write it down."""
        path.write_text(json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read what was written down."""
        read = json.loads(path.read_text())
        port = int(read.get("port", 0))
        return cls(Firmware(read["firmware"]), Way(read["way"]), Accel(read["accel"]), port)


def machine_spec(settings: Settings, *, stick: Path, bootfile: str | None) -> MachineSpec:
    """The demo's machine. Its blank disk comes first: the firmware finds nothing there and goes on."""
    if settings.way is Way.USB:
        return MachineSpec(
            firmware=settings.firmware,
            boot=(BootFrom.DISK, BootFrom.USB),
            disks=(DISK,),
            usb_stick=stick,
            nics=(Nic(network=UserNetwork(), mac=MAC),),
        )
    return MachineSpec(
        firmware=settings.firmware,
        boot=(BootFrom.DISK, BootFrom.PXE),
        disks=(DISK,),
        nics=(Nic(network=UserNetwork(bootfile=bootfile), mac=MAC),),
    )


@dataclass(frozen=True)
class Registration:
    """What the node is told of its management server."""

    server: str
    fingerprint: str
    token: str
    pool: str


def write_answers(place: Place, registration: Registration) -> None:
    """Write the answers; key and password are made once, so that a log-in of before still works."""
    public_key = make_ssh_key(place.key)
    if not place.password.exists():
        place.password.touch(mode=0o600)
        place.password.write_text(f"{secrets.token_urlsafe(9)}\n")
    document = {
        "version": 1,
        "install": {"mode": "unattended"},
        "storage": {"disk": {"serial": DISK.serial}},
        "network": {"hostname": HOST_NAME},
        "access": {
            "admin": {
                "name": ADMIN,
                "password_hash": deterministic_hash(ADMIN, place.password.read_text().strip()),
                "ssh_keys": [public_key],
            }
        },
        "registration": asdict(registration),
    }
    # It holds the token, which is good for this machine alone, and once.
    place.answers.touch(mode=0o600)
    place.answers.chmod(0o600)
    place.answers.write_text(
        "# What the demo's machine is told. `nodectl schema` lists all that can be said here.\n"
        + yaml.safe_dump(document, sort_keys=False)
    )
