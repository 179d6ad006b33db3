"""Guests on a node: whether its hardware can host them, and how libvirt is, where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from node.hookspecs import StatusLine, hookimpl
from node.model.inventory import Inventory, Virtualization
from node.model.problem import Blame, Problem, Severity

OWNER = "virtualization"
# What the processors' makers call it, as a firmware's setup does.
_NAMES = {"vmx": "Intel VT-x", "svm": "AMD-V"}


@hookimpl
def node_validate(inventory: Inventory) -> Sequence[Problem]:
    """Warn where guests could only be emulated; a CPU whose flags are unknown is not judged."""
    virtualization = inventory.virtualization
    if virtualization.hardware or not inventory.cpu.flags:
        return ()
    where_to_mend = (
        f"Switch on nested virtualization on the host ({virtualization.guest_of})"
        if virtualization.guest_of
        else "Switch on Intel VT-x or AMD-V in the firmware's setup, if the processor has it"
    )
    return (
        Problem(
            code="no-hardware-virtualization",
            where="cpu",
            what="the processor offers no hardware virtualization; guests would run by slow emulation",
            mend=where_to_mend,
            owner=OWNER,
            severity=Severity.WARNING,
            blame=Blame.MACHINE,
        ),
    )


@hookimpl
def node_status_panels(inventory: Inventory) -> Sequence[StatusLine]:
    """Give a line for the hardware and, where libvirt is in the image, one for it.

    `facts["libvirt"]` holds `version` and `running`, or `why` it doesn't answer; nothing without libvirt.
    """
    lines = [StatusLine("virtualization", hardware_words(inventory.virtualization))]
    libvirt = inventory.facts.get("libvirt")
    if isinstance(libvirt, dict) and libvirt:
        if why := libvirt.get("why"):
            lines.append(StatusLine("libvirt", f"does not answer: {why}", healthy=False))
        else:
            guests = {0: "no guest runs", 1: "1 guest runs"}.get(
                libvirt["running"], f"{libvirt['running']} guests run"
            )
            lines.append(StatusLine("libvirt", f"{libvirt['version']}, {guests}"))
    return tuple(lines)


def hardware_words(virtualization: Virtualization) -> str:
    """Say in words whether hardware virtualization is there and can be used."""
    if not virtualization.hardware:
        return "no hardware support; guests run by emulation"
    name = _NAMES.get(virtualization.hardware, virtualization.hardware)
    if not virtualization.kvm:
        return f"{name}, but no /dev/kvm: off in the firmware, or kvm is not loaded"
    return f"{name}, /dev/kvm is there"
