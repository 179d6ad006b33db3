"""The kernel command line as a layer of the answers, and what else it says to the installer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from node.installer.document import scalar
from node.installer.keys import KnownKey, KnownKeys
from node.installer.sources.command_line import Argument, split
from node.installer.sources.own_arguments import ALIASES, LEGACY_PREFIX, OLD_NAMES, OWN_NAMES
from node.model.answers import Layer
from node.model.inventory import Inventory, Nic
from node.model.origin import Origin, Precedence
from node.model.problem import Problem, Severity

PREFIX = "node."
_BOOTIF = re.compile(r"(?:[0-9a-fA-F]{2}[-:])?((?:[0-9a-fA-F]{2}[-:]){5}[0-9a-fA-F]{2})")
_TRUE = ("1", "y", "yes", "on", "true")
_FALSE = ("0", "n", "no", "off", "false")


@dataclass(frozen=True)
class KernelArguments:
    """What the command line says. `own` holds `answers`, `image` ... by their names without `node.`.

    `boot_mac` is the card that the machine booted over (BOOTIF), in lower case with colons, "" where that
    isn't said; `network` are those that the initrd makes its network of.
    """

    layer: Layer
    own: dict[str, str] = field(default_factory=dict)
    boot_mac: str = ""
    network: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def boot_nic(self, inventory: Inventory) -> Nic | None:
        """Give the card that the machine booted over."""
        return next(
            (nic for nic in inventory.nics if self.boot_mac in (nic.mac, nic.permanent_mac) and nic.mac), None
        )


def read_kernel_arguments(text: str, known: KnownKeys) -> KernelArguments:
    """Read a command line. Every argument that begins with `node.` is known or a problem.

    Lists are split at commas, and an argument given again adds to them; of other keys the last one stands.
    """
    reading = _Reading(known)
    for argument in split(text):
        reading.take(argument)
    layer = Layer(Precedence.KERNEL, reading.values, "the kernel command line", reading.places)
    return KernelArguments(
        layer, reading.own, reading.boot_mac, tuple(reading.network), tuple(reading.problems)
    )


class _Reading:
    def __init__(self, known: KnownKeys) -> None:
        self._known = known
        self.values: dict[str, Any] = {}
        self.places: dict[str, str] = {}
        self.own: dict[str, str] = {}
        self.boot_mac = ""
        self.network: list[str] = []
        self.problems: list[Problem] = []

    def take(self, argument: Argument) -> None:
        if argument.name == "BOOTIF":
            self._take_boot_card(argument)
        elif argument.name in ("ip", "bond", "vlan", "bridge", "nameserver", "rd.route"):
            self.network.append(str(argument))
        elif argument.name in OLD_NAMES:
            self._take_old(argument)
        elif argument.name.startswith(PREFIX):
            self._take_ours(argument, argument.name.removeprefix(PREFIX))

    def _take_old(self, argument: Argument) -> None:
        """Take an argument of old nodes for the key of the answers that means the same."""
        dotted, leading = OLD_NAMES[argument.name]
        key = self._known.get(dotted)
        if key and argument.value:
            bare = "://" not in argument.value
            self._set(Argument(argument.name, (leading if bare else "") + argument.value), dotted, key)

    def _take_boot_card(self, argument: Argument) -> None:
        if match := _BOOTIF.fullmatch(argument.value or ""):
            self.boot_mac = match[1].replace("-", ":").lower()
        else:
            self._complain(
                argument, "kernel-argument", "is not the address of a card",
                "Write BOOTIF=01-aa-bb-cc-dd-ee-ff, as IPAPPEND 2 of pxelinux does", Severity.WARNING,
            )  # fmt: skip

    def _take_ours(self, argument: Argument, name: str) -> None:
        if name in OWN_NAMES and name not in ALIASES:
            if argument.value:
                self.own[name] = argument.value
            else:
                self._complain(argument, "kernel-argument", "has no value", f"Write {argument.name}=VALUE")
            return
        if name.startswith(LEGACY_PREFIX) and (old := name.removeprefix(LEGACY_PREFIX)) in OLD_NAMES:
            self._take_old(Argument(old, argument.value))
            return
        if name.startswith(LEGACY_PREFIX):
            self._complain(
                argument, "kernel-argument-legacy", "is an argument of old nodes that is not read yet",
                "Use the answers' own keys, see docs/kernel-arguments.md",
            )  # fmt: skip
            return
        dotted = ALIASES.get(name, name)
        key = self._known.get(dotted)
        above = None if key else self._known.mapping_above(dotted)
        if self._known.is_section(dotted) or (key is not None and key.is_model):
            self._complain(
                argument, "kernel-argument", "has keys below it and no value of its own",
                f"Write {argument.name}.KEY=VALUE",
            )  # fmt: skip
        elif key is None and above is None:
            self._complain_unknown(argument, name)
        else:
            self._set(argument, key.dotted if key else dotted, key)

    def _set(self, argument: Argument, dotted: str, key: KnownKey | None) -> None:
        *parents, last = dotted.split(".")
        holder = self.values
        for parent in parents:
            holder = holder.setdefault(parent, {})
            if not isinstance(holder, dict):
                self._complain(argument, "kernel-argument", "stands below a plain value", "Take one out")
                return
        value = _value(argument, key)
        if key and key.is_list:
            value = [*holder.get(last, []), *value]
        holder[last] = value
        self.places[dotted] = f"kernel argument {argument.name}"

    def _complain_unknown(self, argument: Argument, name: str) -> None:
        near = get_close_matches(name, OWN_NAMES, n=1, cutoff=0.75)
        nearest = near[0] if near else self._known.nearest(name)
        self._complain(
            argument, "unknown-kernel-argument", "is not a known argument",
            f"Did you mean {PREFIX}{nearest}?" if nearest else "Take it out",
        )  # fmt: skip

    def _complain(
        self, argument: Argument, code: str, what: str, mend: str, severity: Severity = Severity.ERROR
    ) -> None:
        origin = Origin(Precedence.KERNEL, "the kernel command line")
        self.problems.append(Problem(code, argument.name, what, mend, origin, severity=severity))


def _value(argument: Argument, key: KnownKey | None) -> Any:
    text = argument.value
    if key is None:
        # Below a mapping whose keys we don't know, such as netplan's, a word means what it means in YAML.
        return True if text is None else scalar(text)
    if key.is_list:
        return [] if not text else [word.strip() for word in text.split(",") if word.strip()]
    if text is None:
        return True if key.is_boolean else None
    if key.is_boolean and text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    if key.is_mapping:
        return _json_or_text(text)
    return text


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def boot_words(arguments: KernelArguments, inventory: Inventory) -> Iterable[str]:
    """Say how the machine booted, where the command line tells."""
    if arguments.boot_mac:
        nic = arguments.boot_nic(inventory)
        name = f"{nic.name} ({arguments.boot_mac})" if nic else f"{arguments.boot_mac}, which is not here"
        yield f"booted over {name}"
    if arguments.network:
        yield f"network as the command line says: {' '.join(arguments.network)}"
