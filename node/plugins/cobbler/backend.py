"""The backend of cobbler: it knows the machine, and starts it from its disk from now on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Interface, ip_interface
from typing import TYPE_CHECKING, Any

from node.errors import NodeError, TryAgainError
from node.model.inventory import Inventory
from node.model.registration import Around, Desired, Outcome, Report, Standing

if TYPE_CHECKING:
    from node.plugins.cobbler.api import Cobbler

NAME = "cobbler"
_MEMORY = "memory.json"
PASSWORD_KEY = "cobbler.password"  # noqa: S105 - its name


@dataclass(frozen=True)
class CobblerBackend:
    """What is asked of one cobbler. All of it is done once for an installation, and safe to do again."""

    server: str
    fingerprint: str = ""
    system: str = ""
    netboot_off: bool = True
    register_system: bool = False
    profile: str = ""
    user: str = ""
    password: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return NAME

    def visit(self, around: Around) -> Report:
        """Make the system where that is asked for, then have it started from its disk."""
        from node.plugins.cobbler.api import Cobbler  # noqa: PLC0415 - urllib3 takes its time to load

        done = dict(_read(around))
        words = []
        try:
            cobbler = Cobbler(self.server, self.fingerprint)
            token = cobbler.call("login", self.user, self.password) if self.user and self.password else ""
            if self.register_system and done.get("registered") != self._what(around):
                if not token:
                    raise NodeError("cobbler wants a password for that", mend="Give cobbler.password")
                done["system"] = self._register(cobbler, token, around.inventory)
                done["registered"] = self._what(around)
                _write(around, done)
            if self.register_system:
                words.append(f"system {done.get('system')} is in cobbler")
            if self.netboot_off:
                words.append(self._off(cobbler, token, around, done))
        except NodeError as error:
            error.mend = error.mend or f"Look at cobbler on {self.server}"
            raise
        used = (PASSWORD_KEY,) if token else ()
        terms = (("server", self.server),)
        return Report(Standing.DONE, "; ".join(words) or "nothing is asked of it", terms=terms, used=used)

    def reaches(self, around: Around) -> bool:
        """It wants nothing of the node, so nothing is lost without it."""
        del around
        return True

    def settle(self, around: Around, desired: Desired, outcome: Outcome | None) -> None:
        """It never wants a configuration."""

    def _what(self, around: Around) -> str:
        """Tell one installation on one server from another."""
        return f"{self.server} {around.state.install.get('id', '')}"

    def _register(self, cobbler: Cobbler, token: str, inventory: Inventory) -> str:
        """Make the system or complete the one that has a card of this machine; give its name."""
        # Not register_new_system, which raises AttributeError in 3.3.x.
        cobbler.version()
        name = self._found(cobbler, inventory)
        known: Mapping[str, Any] = {}
        if name:
            handle = cobbler.call("get_system_handle", name, token)
            given = cobbler.call("get_system", name)
            known = given.get("interfaces", {}) if isinstance(given, dict) else {}
        else:
            name = self.system or inventory.hostname.partition(".")[0]
            if not name:
                raise NodeError("this machine has no name for cobbler", mend="Give cobbler.system")
            handle = cobbler.call("new_system", token)
            cobbler.call("modify_system", handle, "name", name, token)
            cobbler.call("modify_system", handle, "profile", self.profile, token)
        for words in interface_words(inventory, known):
            try:
                cobbler.call("modify_system", handle, "modify_interface", words, token)
            except TryAgainError:
                raise
            except NodeError:
                # A lease that another machine had before is "duplicate" to cobbler; the card itself counts.
                alone = {key: value for key, value in words.items() if key.startswith("macaddress-")}
                cobbler.call("modify_system", handle, "modify_interface", alone, token)
        if not cobbler.call("save_system", handle, token):
            raise NodeError(f"cobbler did not save the system {name}")
        return name

    def _found(self, cobbler: Cobbler, inventory: Inventory) -> str:
        """Give the name of the system that has one of this machine's cards, "" where none has."""
        names: set[str] = set()
        for mac in _macs(inventory):
            # cobbler compares text: it keeps addresses as they were given.
            for form in (mac, mac.upper()):
                names.update(map(str, cobbler.call("find_system", {"mac_address": form})))
        if len(names) > 1:
            raise NodeError(
                f"cobbler has this machine's cards in several systems: {', '.join(sorted(names))}",
                mend="Leave one of them there",
            )
        return names.pop() if names else ""

    def _off(self, cobbler: Cobbler, token: str, around: Around, done: dict[str, Any]) -> str:
        """Have the machine started from its disk; give words of it. The body of the answer is what counts."""
        if around.inventory.image.source != "slot":
            return "this node runs from the network and goes on doing so"
        if done.get("off") == self._what(around):
            return f"cobbler starts {done.get('system')} from its disk"
        # What cobbler starts is the system that has the card, whatever it was to be called.
        name = self._found(cobbler, around.inventory) or self.system
        name = name or around.inventory.hostname.partition(".")[0]
        if token:
            handle = cobbler.call("get_system_handle", name, token)
            cobbler.call("modify_system", handle, "netboot_enabled", False, token)
            cobbler.call("save_system", handle, token)
        elif (said := cobbler.service("nopxe", "system", name)) != "True":
            # 200 and False: an unknown system, or one that is not to be changed by whoever asks.
            raise NodeError(
                f"cobbler did not switch network boot off for {name}: it says {said[:40]!r}",
                mend=f"Is there a system {name}, and pxe_just_once on in cobbler's settings? Else give "
                "cobbler.user and cobbler.password",
            )
        given = cobbler.call("get_system", name)
        if not isinstance(given, dict) or given.get("netboot_enabled"):
            raise NodeError(f"cobbler still starts {name} over the network")
        done |= {"off": self._what(around), "system": name}
        _write(around, done)
        return f"cobbler starts {name} from its disk"


def interface_words(inventory: Inventory, known: Mapping[str, Any]) -> list[dict[str, str]]:
    """Give what `modify_interface` takes for each card that cobbler's system lacks."""
    macs = {str(one.get("mac_address", "")).lower() for one in known.values() if isinstance(one, dict)}
    found = []
    for nic in inventory.nics:
        mac = (nic.permanent_mac or nic.mac).lower()
        if not mac or mac in macs:
            continue
        words = {f"macaddress-{nic.name}": mac}
        addresses = [ip_interface(text) for text in nic.addresses]
        if address := next((each for each in addresses if isinstance(each, IPv4Interface)), None):
            words |= {f"ipaddress-{nic.name}": str(address.ip), f"netmask-{nic.name}": str(address.netmask)}
        found.append(words)
    return found


def _macs(inventory: Inventory) -> list[str]:
    return [mac.lower() for nic in inventory.nics if (mac := nic.permanent_mac or nic.mac)]


def _read(around: Around) -> Mapping[str, Any]:
    with suppress(OSError, ValueError):
        data = json.loads(around.files.read(around.folder / _MEMORY))
        if isinstance(data, dict):
            return data
    return {}


def _write(around: Around, done: Mapping[str, Any]) -> None:
    try:
        around.files.write(around.folder / _MEMORY, json.dumps(done).encode(), mode=0o600)
    except OSError as error:
        raise NodeError(f"CONFIG can't be written: {error.strerror or error}") from None
