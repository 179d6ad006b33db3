"""What each directive of a kickstart means in the answers."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from node.errors import NodeError
from node.installer.sources.kickstart_network import netplan
from node.installer.sources.kickstart_options import OptionError
from node.model.origin import Origin, Precedence
from node.model.problem import Problem, Severity
from node.plugins.locale.keymaps import layout_of
from node.system.passwords import hash_password

_SUDO_GROUPS = frozenset({"wheel", "sudo"})
_ROLES = {
    "/": "root", "/boot": "boot", "swap": "swap", "/var/log": "logging", "/data": "data", "/config": "config",
}  # fmt: skip
# What a node makes by itself, of the size that it needs.
_OWN = frozenset({"/boot/efi", "biosboot", "prepboot"})


class Words:
    """Gathers the answers of one kickstart; a `take_NAME` for each directive that a node understands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = 0
        self.values: dict[str, Any] = {}
        self.places: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._networks: list[tuple[int, Any]] = []
        self._keys: list[tuple[int, str, str]] = []
        self._erased_in = 0

    def complain(
        self, code: str, where: str, what: str, mend: str, severity: Severity = Severity.ERROR
    ) -> None:
        """Keep a problem of the line that is read."""
        place = f"{self.name}, line {self.line}" if self.line else self.name
        self.problems.append(
            Problem(code, where, what, mend, Origin(Precedence.FILE, place), severity=severity)
        )

    def finish(self) -> None:
        """Take what only all lines together say."""
        hostname, network, complaints = netplan(self._networks)
        for line, words in complaints:
            self.line = line
            self.complain("kickstart-option", "network", words.removeprefix("network: "), "Correct the line")
        if hostname:
            self._set("network.hostname", hostname)
        if network:
            self._set("network.netplan", network)
        for line, user, key in self._keys:
            self.line = line
            self._add_key(user, key)
        self.line = 0
        # It asks nobody, as a kickstart does.
        self._set("install.mode", "unattended")
        if self._erased_in and not self.values.get("storage", {}).get("consent"):
            self.line = self._erased_in
            self.complain(
                "kickstart-consent",
                "clearpart",
                "names no disk by what it is, so a disk that holds something is refused still",
                "Write clearpart --all --drives=/dev/disk/by-id/NAME, or give node.storage.consent",
                Severity.WARNING,
            )

    def take_rootpw(self, given: Namespace) -> None:
        """Root's password."""
        if given.lock or not given.password:
            self._set("access.root.locked", True)
            return
        self._set("access.root.password_hash", self._hash(given))

    def take_user(self, given: Namespace) -> None:
        """The admin user: a node has one."""
        if self.values.get("access", {}).get("admin"):
            self.complain("kickstart-user", "user", "a node has one user beside root", "Take the others out")
            return
        self._set("access.admin.name", given.name)
        self._set("access.admin.sudo", bool(_SUDO_GROUPS & set(given.groups.replace(",", " ").split())))
        if given.lock:
            self._set("access.admin.locked", True)
        if given.password:
            self._set("access.admin.password_hash", self._hash(given))
        others = [option for option in ("shell", "homedir", "uid", "gid") if getattr(given, option)]
        if others:
            words = ", ".join(f"--{option}" for option in others)
            what = f"{words} does nothing here"
            self.complain("kickstart-ignored", "user", what, "Take it out", Severity.WARNING)

    def take_sshkey(self, given: Namespace) -> None:
        """A key; whose it is, the users say."""
        self._keys.append((self.line, given.username, " ".join(given.key)))

    def take_network(self, given: Namespace) -> None:
        """A link, or the host name alone."""
        self._networks.append((self.line, given))

    def take_timezone(self, given: Namespace) -> None:
        """The time zone; a node's clock runs in UTC."""
        if given.timezone:
            self._set("locale.timezone", given.timezone)
        for server in filter(None, given.ntpservers.split(",")):
            self._add("network.ntp", server)

    def take_timesource(self, given: Namespace) -> None:
        """Time servers."""
        for server in filter(None, (given.ntp_server, given.ntp_pool)):
            self._add("network.ntp", server)

    def take_lang(self, given: Namespace) -> None:
        """The language."""
        self._set("locale.lang", given.lang)

    def take_keyboard(self, given: Namespace) -> None:
        """The keyboard, by XKB's name where there is one."""
        layouts = [one.strip(" '\"") for one in given.xlayouts.split(",") if one.strip()]
        if len(layouts) > 1:
            raise OptionError("only one of --xlayouts can be a node's")
        name = (layouts or [given.vckeymap or given.keyboard])[0]
        found = layout_of(name)
        layout, variant = found or (name, "")
        self._set("locale.keyboard", f"{layout}({variant})" if variant else layout.replace(" ", ""))

    def take_part(self, given: Namespace) -> None:
        """A size, of what a node has anyway."""
        point = given.mountpoint
        disk = given.ondisk or given.ondrive
        if disk:
            self._take_disk(disk)
        if point in _OWN:
            return
        role = _ROLES.get(point)
        if role is None:
            raise OptionError(f"a node has no partition for {point}: {', '.join(sorted(_ROLES))} it has")
        if point == "/data" and given.fstype in ("ext4", "xfs"):
            self._set("storage.data_filesystem", given.fstype)
        if given.recommended:
            return
        if given.grow and role != "root":
            self._set(f"storage.sizes.{role}", "rest")
        elif given.size and not given.grow:
            if not given.size.isdigit():
                raise OptionError("--size is no number of MiB")
            self._set(f"storage.sizes.{role}", f"{given.size}MiB")

    take_partition = take_part

    def take_clearpart(self, given: Namespace) -> None:
        """What may be lost, as far as it names a disk by what it is."""
        if given.none:
            return
        self._erased_in = self.line if given.all else self._erased_in
        drives = [drive for drive in given.drives.split(",") if drive]
        for drive in drives:
            self._take_disk(drive)
            if given.all and (link := _by_id(drive)):
                self._add("storage.consent", link)

    def take_ignoredisk(self, given: Namespace) -> None:
        """The one disk to take."""
        drives = [drive for drive in given.only_use.split(",") if drive]
        if len(drives) != 1:
            raise OptionError("--only-use names one disk to install on")
        self._take_disk(drives[0])

    def take_bootloader(self, given: Namespace) -> None:
        """Kernel arguments and the menu's time."""
        if given.append:
            self._set("boot.append", given.append)
        if given.timeout:
            self._set("boot.timeout", int(given.timeout) if given.timeout.isdigit() else given.timeout)

    def take_reboot(self, _: Namespace) -> None:
        """What comes after the installation."""
        self._set("install.afterwards", "reboot")

    def take_poweroff(self, _: Namespace) -> None:
        """What comes after the installation."""
        self._set("install.afterwards", "poweroff")

    take_shutdown = take_halt = take_poweroff

    def _take_disk(self, name: str) -> None:
        key, value = ("by_id", link) if (link := _by_id(name)) else ("node", f"/dev/{_bare(name)}")
        known = self.values.get("storage", {}).get("disk", {})
        if known and known.get(key) != value:
            raise OptionError("it names another disk than a line before")
        self._set(f"storage.disk.{key}", value)

    def _add_key(self, user: str, key: str) -> None:
        admin = self.values.get("access", {}).get("admin", {}).get("name")
        if user in ("root", admin):
            self._add(f"access.{'root' if user == 'root' else 'admin'}.ssh_keys", key)
            return
        what = "names a user that no user directive makes"
        self.complain("kickstart-user", "sshkey", what, "Write user --name=NAME, or --username=root")

    def _hash(self, given: Namespace) -> str:
        """Give the hash that is to be stored; one that is too weak, the section itself refuses in words."""
        if given.iscrypted:
            return str(given.password)
        try:
            return hash_password(given.password)
        except NodeError as error:
            raise OptionError(error.brief) from None

    def _set(self, key: str, value: Any) -> None:
        *parents, last = key.split(".")
        holder = self.values
        for parent in parents:
            holder = holder.setdefault(parent, {})
        holder[last] = value
        self._note(key)

    def _add(self, key: str, value: str) -> None:
        *parents, last = key.split(".")
        holder = self.values
        for parent in parents:
            holder = holder.setdefault(parent, {})
        if value not in (items := holder.setdefault(last, [])):
            items.append(value)
        self._note(key)

    def _note(self, key: str) -> None:
        self.places[key] = f"{self.name}, line {self.line}" if self.line else self.name


def _bare(name: str) -> str:
    return name.removeprefix("/dev/")


def _by_id(name: str) -> str:
    """Give the name below /dev/disk/by-id, "" for a kernel name, which is no consent."""
    bare = _bare(name)
    return bare.removeprefix("disk/by-id/") if bare.startswith("disk/by-id/") else ""
