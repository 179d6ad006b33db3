"""Whether the machine can host virtual machines, and whether it is one."""

from __future__ import annotations

import os
from pathlib import Path

from node.model.inventory import Cpu, Firmware, Unknown, Virtualization

# SMBIOS vendor or product -> systemd-detect-virt's word (its table in src/basic/virt.c).
_GUESTS = {
    "kvm": "kvm", "qemu": "qemu", "vmware": "vmware", "innotek gmbh": "oracle", "virtualbox": "oracle",
    "xen": "xen", "bochs": "bochs", "parallels": "parallels", "bhyve": "bhyve", "amazon ec2": "amazon",
    "google compute engine": "google", "openstack": "kvm", "virtual machine": "microsoft",
}  # fmt: skip
_SOCKETS = ("libvirt/libvirt-sock", "libvirt/virtqemud-sock")


def find_virtualization(
    cpu: Cpu,
    firmware: Firmware,
    *,
    sys: Path = Path("/sys"),
    run: Path = Path("/run"),
    dev: Path = Path("/dev"),
) -> tuple[Virtualization, tuple[Unknown, ...]]:
    """Give it, with the version of libvirt where one runs.

    A libvirt that doesn't answer is unknown, and so is a KVM that only others may open.
    """
    version = ""
    unknown: tuple[Unknown, ...] = ()
    if any((run / socket).exists() for socket in _SOCKETS):
        try:
            version = _libvirt_version()
        except Exception as error:
            unknown = (
                Unknown("virtualization.libvirt", " ".join(str(error).split()) or type(error).__name__),
            )
    kvm = os.access(dev / "kvm", os.R_OK | os.W_OK)
    if not kvm and (dev / "kvm").exists():
        unknown += (Unknown("virtualization.kvm", f"{dev / 'kvm'} can't be opened: Permission denied"),)
    return (
        Virtualization(
            hardware=next((flag for flag in ("vmx", "svm") if flag in cpu.flags), ""),
            kvm=kvm,
            guest_of=_guest_of(cpu, firmware, sys),
            libvirt=version,
        ),
        unknown,
    )


def _guest_of(cpu: Cpu, firmware: Firmware, sys: Path) -> str:
    said = f"{firmware.vendor}\n{firmware.product}\n{firmware.version}".lower()
    for words, name in _GUESTS.items():
        if words in said:
            return name
    try:
        hypervisor = (sys / "hypervisor/type").read_text().strip()
    except OSError:
        hypervisor = ""
    # CPUID's hypervisor bit is there in every full virtual machine, whatever SMBIOS says.
    return hypervisor or ("other" if "hypervisor" in cpu.flags else "")


def _libvirt_version() -> str:
    import libvirt  # noqa: PLC0415 - an image without libvirt has no bindings

    # Errors are ours to word; by default they are printed too.
    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.openReadOnly("qemu:///system")
    try:
        number = int(connection.getLibVersion())
    finally:
        connection.close()
    # 1,000,000 * major + 1,000 * minor + release (virConnectGetLibVersion).
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
