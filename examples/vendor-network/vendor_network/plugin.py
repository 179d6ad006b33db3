"""The hooks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from node.hookspecs import hookimpl
from node.model.answers import Answers, Section
from node.model.inventory import Inventory
from node.model.page import OWN, DocumentField, Page
from node.model.problem import Blame, Problem
from node.model.state import RenderedFile, State
from vendor_network.answers import VendorNetworkAnswers

_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
# linux/if.h, IFNAMSIZ less its end; udev takes no others, and eth0 and its like are the kernel's own.
_NAME = re.compile(r"(?!(eth|usb|wlan)[0-9])[a-z][a-z0-9_-]{0,14}")
# The number of virtual functions is a field of 16 bits; no card has so many.
MOST_FUNCTIONS = 256
_INTEL, _AMD = "GenuineIntel", "AuthenticAMD"

PAGE = Page(
    "vendor_network",
    "Names of cards",
    "Names and SR-IOV by the cards' permanent MAC addresses.",
    OWN,
    (
        DocumentField(key="vendor_network.names", label="Names"),
        DocumentField(key="vendor_network.virtual_functions", label="SR-IOV"),
    ),
    asked=False,
)


@hookimpl
def node_sections() -> Sequence[Section]:
    """Offer `vendor_network`; its page is reached from the summary."""
    words = "Names cards, and gives them virtual functions."
    return (Section(VendorNetworkAnswers, "Names of cards", words, pages=(PAGE,)),)


@hookimpl
def node_validate(answers: Answers, inventory: Inventory) -> Sequence[Problem]:
    """Name every address, name and number that can't be."""
    asked = answers[VendorNetworkAnswers]
    cards = {card(nic.permanent_mac or nic.mac) for nic in inventory.nics}
    found: list[Problem] = []
    for key, mapping in (("names", asked.names), ("virtual_functions", asked.virtual_functions)):
        where = f"vendor_network.{key}"
        for mac in mapping:
            if not _MAC.fullmatch(card(mac)):
                found.append(_problem(where, f"'{mac}' is no MAC address", "Write it as 52:54:00:12:34:56"))
            elif card(mac) not in cards:
                listed = ", ".join(sorted(cards)) or "none"
                found.append(
                    _problem(where, f"this machine has no card {mac}", f"It has: {listed}", Blame.MACHINE)
                )
        if len({card(mac) for mac in mapping}) != len(mapping):
            found.append(_problem(where, "names a card twice", "Name each once"))
    for name in asked.names.values():
        if not _NAME.fullmatch(name):
            mend = "Take at most 15 small letters, digits, - and _, and none such as eth0"
            found.append(_problem("vendor_network.names", f"'{name}' can be no card's name", mend))
    if len(set(asked.names.values())) != len(asked.names):
        found.append(_problem("vendor_network.names", "gives two cards one name", "Give each its own"))
    for count in asked.virtual_functions.values():
        if not 1 <= count <= MOST_FUNCTIONS:
            mend = f"Take 1 to {MOST_FUNCTIONS}, or leave the card out"
            found.append(_problem("vendor_network.virtual_functions", f"{count} can't be", mend))
    return found


@hookimpl
def node_kernel_args(answers: Answers, inventory: Inventory) -> Sequence[str]:
    """Switch the IOMMU on where cards shall have virtual functions: a guest is given one through it."""
    if not answers[VendorNetworkAnswers].virtual_functions:
        return ()
    switch = {_INTEL: ("intel_iommu=on",), _AMD: ()}.get(inventory.cpu.vendor, ())
    return (*switch, "iommu=pt")


@hookimpl
def node_render(state: State) -> Sequence[RenderedFile]:
    """Give a .link file for each card (systemd.link(5)), before udev of the new root looks at any."""
    asked = VendorNetworkAnswers.model_validate(state.sections.get("vendor_network", {}))
    names = {card(mac): name for mac, name in asked.names.items()}
    functions = {card(mac): count for mac, count in asked.virtual_functions.items()}
    return tuple(
        RenderedFile(
            f"/etc/systemd/network/10-vendor-{mac.replace(':', '')}.link",
            _link(mac, names.get(mac, ""), functions.get(mac, 0)),
        )
        for mac in sorted({*names, *functions})
    )


def card(mac: str) -> str:
    """Give a MAC address as all of them are compared."""
    return mac.strip().lower().replace("-", ":")


def _link(mac: str, name: str, functions: int) -> str:
    lines = ["[Match]", f"PermanentMACAddress={mac}", "", "[Link]"]
    # Without a name of ours the image's own rules count: a file that matches hides the others.
    lines += [f"Name={name}"] if name else ["NamePolicy=keep kernel database onboard slot path"]
    lines += [f"SR-IOVVirtualFunctions={functions}"] if functions else []
    return "\n".join(lines) + "\n"


def _problem(where: str, what: str, mend: str, blame: Blame = Blame.ANSWERS) -> Problem:
    return Problem("vendor-network", where, what, mend, blame=blame)
