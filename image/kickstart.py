"""What a kickstart asks for, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from image import ks_reader
from image.origin import Complaint, Origin
from node.installer.sources import kickstart_network
from node.plugins.access import hashes, ssh_keys
from node.plugins.locale.keymaps import layout_of

DEFAULT_SUITES = ("trixie", "trixie-updates", "trixie-security")

# Interpreter of the scripts that say which files leave the image (ThinCrust's name).
MINIMIZER = "image-minimizer"

_CLOCK_SERVICE = "systemd-timesyncd"

# What `%packages` of a RPM distribution names and every Debian image has anyway.
_BASE_GROUPS = frozenset({"core", "base"})


@dataclass(frozen=True)
class Suite:
    """A suite of the Debian archive with its components."""

    name: str
    components: tuple[str, ...] = ("main",)

    @property
    def is_security(self) -> bool:
        """Whether it lies on the security mirror."""
        return self.name.endswith("-security")


@dataclass(frozen=True)
class Account:
    """A user of the image. `password` is plain unless `is_hash`; None leaves the account locked."""

    name: str
    password: str | None = field(default=None, repr=False)
    is_hash: bool = False
    groups: tuple[str, ...] = ()
    home: str | None = None
    shell: str | None = None
    uid: int | None = None
    gid: int | None = None
    gecos: str | None = None


@dataclass(frozen=True)
class PostScript:
    """A `%post` script: run in the image's root, or beside it with `nochroot`."""

    origin: Origin
    interpreter: str
    body: str
    nochroot: bool

    @property
    def is_minimizer(self) -> bool:
        """Whether this is a list of what leaves the image instead of a program."""
        return self.interpreter.split()[0].rpartition("/")[2] == MINIMIZER


@dataclass(frozen=True)
class Kickstart:
    """Everything that a kickstart says; what it doesn't say is None or empty."""

    path: Path
    sha256: str
    suites: tuple[Suite, ...]
    packages: tuple[str, ...]
    excluded: tuple[str, ...]
    package_origins: Mapping[str, Origin]
    exclude_docs: bool = False
    languages: tuple[str, ...] | None = None
    lang: str | None = None
    more_languages: tuple[str, ...] = ()
    keyboard: str | None = None
    timezone: str | None = None
    clock_is_utc: bool = True
    ntp: tuple[str, ...] = ()
    append: str | None = None
    timeout_s: int | None = None
    hostname: str | None = None
    netplan: Mapping[str, Any] | None = None
    enabled: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    root: Account | None = None
    accounts: tuple[Account, ...] = ()
    ssh_keys: tuple[tuple[str, str], ...] = ()
    partitions: tuple[str, ...] = ()
    scripts: tuple[PostScript, ...] = ()
    notices: tuple[str, ...] = ()
    # Where each directive stands for the last time.
    directive_origins: Mapping[str, Origin] = field(default_factory=dict)

    def fingerprint(self) -> dict[str, Any]:
        """What of the kickstart decides the image's bytes: all of it but where its files lie."""
        skipped = {"path", "package_origins", "directive_origins", "notices", "scripts", "sha256"}
        kept: dict[str, Any] = {
            one.name: repr(getattr(self, one.name)) for one in fields(self) if one.name not in skipped
        }
        kept["accounts"] = [
            [repr(account), account.password] for account in (self.root, *self.accounts) if account
        ]
        kept["scripts"] = [[s.interpreter, s.body, s.nochroot] for s in self.scripts]
        return kept


class _Gathering:
    """Fills the fields of a Kickstart directive by directive; the last one of a kind wins."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.suites: list[Suite] = []
        self.accounts: dict[str, Account] = {}
        self.keys: list[tuple[str, str]] = []
        self.enabled: list[str] = []
        self.disabled: list[str] = []
        self.partitions: list[str] = []
        self.networks: list[tuple[Origin, Any]] = []
        self.notices: list[str] = []
        self.complaints: list[Complaint] = []

    def take(self, origin: Origin, name: str, value: Any) -> None:
        getattr(self, f"_{name}")(origin, value)

    def _lang(self, _: Origin, value: Any) -> None:
        self.values["lang"] = value.lang
        self.values["more_languages"] = tuple(getattr(value, "addsupport", None) or ())

    def _keyboard(self, origin: Origin, value: Any) -> None:
        layouts = tuple(getattr(value, "x_layouts", None) or ())
        if len(layouts) > 1:
            self.complaints.append(Complaint(origin, "keyboard: only one of --xlayouts is honoured"))
        # XKB's names count: what the console has is told from them.
        given = layouts[0] if layouts else value.keyboard
        found = layout_of(given)
        if found:
            layout, variant = found
            self.values["keyboard"] = f"{layout}({variant})" if variant else layout
        else:
            self.values["keyboard"] = given.replace(" ", "")

    def _timezone(self, _: Origin, value: Any) -> None:
        self.values["timezone"] = value.timezone or None
        self.values["clock_is_utc"] = bool(value.isUtc)
        servers = getattr(value, "ntpservers", None)
        if servers:
            self.values["ntp"] = tuple(sorted(str(server) for server in servers))
        if getattr(value, "nontp", False):
            self.disabled.append(_CLOCK_SERVICE)

    def _timesource(self, _: Origin, value: Any) -> None:
        server = value.ntp_server or value.ntp_pool
        if server:
            self.values["ntp"] = (*self.values.get("ntp", ()), server)
        if value.ntp_disable:
            self.disabled.append(_CLOCK_SERVICE)

    def _bootloader(self, _: Origin, value: Any) -> None:
        self.values["append"] = value.appendLine or None
        self.values["timeout_s"] = value.timeout

    def _network(self, origin: Origin, value: Any) -> None:
        self.networks.append((origin, value))

    def _services(self, _: Origin, value: Any) -> None:
        self.enabled += value.enabled
        self.disabled += value.disabled

    def _rootpw(self, origin: Origin, value: Any) -> None:
        self._check_hash(origin, "rootpw", value)
        password = None if value.lock else value.password or None
        self.values["root"] = Account("root", password, bool(value.isCrypted))

    def _user(self, origin: Origin, value: Any) -> None:
        self._check_hash(origin, f"user --name={value.name}", value)
        password = None if value.lock else value.password or None
        self.accounts[value.name] = Account(
            value.name,
            password,
            bool(value.isCrypted),
            groups=tuple(value.groups or ()),
            home=value.homedir or None,
            shell=value.shell or None,
            uid=value.uid,
            gid=value.gid,
            gecos=value.gecos or None,
        )

    def _check_hash(self, origin: Origin, what: str, value: Any) -> None:
        # As the node would say when it is installed: then it is too late for the image.
        fault = hashes.fault_of(value.password) if value.isCrypted and value.password else None
        if fault and not value.lock:
            self.complaints.append(Complaint(origin, f"{what}: {fault.what}. {hashes.MEND}"))

    def _sshkey(self, origin: Origin, value: Any) -> None:
        if fault := ssh_keys.fault_of(value.key):
            self.complaints.append(Complaint(origin, f"sshkey --username={value.username}: {fault}"))
        self.keys.append((value.username, value.key))

    def _selinux(self, origin: Origin, _: Any) -> None:
        self.notices.append(f"{origin}: selinux does nothing: Debian's image confines by AppArmor")

    def _firewall(self, origin: Origin, _: Any) -> None:
        self.notices.append(
            f"{origin}: firewall does nothing: Debian has no firewalld set up; ship nftables rules by a %post"
        )

    def _repo(self, origin: Origin, value: Any) -> None:
        name, _, components = value.name.partition(":")
        suite = Suite(name, tuple(components.split(",")) if components else ("main",))
        if not all((suite.name, *suite.components)):
            self.complaints.append(
                Complaint(origin, f"repo --name={value.name}: write SUITE or SUITE:main,contrib")
            )
        if suite.name in {known.name for known in self.suites}:
            self.complaints.append(Complaint(origin, f"repo --name={value.name}: the suite is there already"))
        self.suites.append(suite)

    def _part(self, _: Origin, value: Any) -> None:
        self.partitions.append(str(value).strip())

    _partition = _part


def load(path: Path, *, ks_version: str | None = None) -> Kickstart:
    """Read a kickstart and what it includes.

    Raises InputError that lists everything wrong with it, each with file and line.
    """
    reader = ks_reader.read(path, ks_version=ks_version)
    gathering = _Gathering()
    for origin, name, value in reader.directives:
        gathering.take(origin, name, value)
    hostname, netplan, of_network = kickstart_network.netplan(gathering.networks)
    scripts = tuple(
        PostScript(origin, script.interp, script.script, not script.inChroot)
        for origin, script in zip(reader.script_origins, reader.handler.scripts, strict=True)
    )
    blank = [
        Complaint(one.origin, "%post --interpreter names none")
        for one in scripts
        if not one.interpreter.strip()
    ]
    packages = reader.handler.packages
    complaints = [*blank, *gathering.complaints, *_group_complaints(reader)]
    complaints += [Complaint(origin, words) for origin, words in of_network]
    known = {"root", *gathering.accounts}
    complaints += [
        Complaint(origin, f"sshkey --username={value.username}: no user directive names that account")
        for origin, name, value in reader.directives
        if name == "sshkey" and value.username not in known
    ]
    ks_reader.refuse(complaints)
    languages = packages.instLangs
    return Kickstart(
        path=path,
        sha256=reader.digest.hexdigest(),
        suites=tuple(gathering.suites) or tuple(Suite(name) for name in DEFAULT_SUITES),
        packages=tuple(packages.packageList),
        excluded=tuple(packages.excludedList),
        package_origins=dict(reader.package_origins),
        exclude_docs=bool(packages.excludeDocs),
        languages=None if languages is None else tuple(one for one in languages.split(",") if one),
        hostname=hostname,
        netplan=netplan,
        enabled=tuple(dict.fromkeys(gathering.enabled)),
        disabled=tuple(dict.fromkeys(gathering.disabled)),
        accounts=tuple(gathering.accounts.values()),
        ssh_keys=tuple(gathering.keys),
        partitions=tuple(gathering.partitions),
        scripts=scripts,
        notices=tuple(gathering.notices),
        directive_origins={name: origin for origin, name, _ in reader.directives},
        **gathering.values,
    )


def _group_complaints(reader: ks_reader.KickstartReader) -> Sequence[Complaint]:
    """Debian has no groups of packages, so one that isn't just the base is refused, and so are globs."""
    complaints = []
    for name, origin in reader.package_origins.items():
        if name.startswith("@") and name[1:].lstrip("^").lower() not in _BASE_GROUPS:
            complaints.append(Complaint(origin, f"{name}: Debian has no package groups; name the packages"))
        elif not name.startswith("@") and set(name) & set("*?[]/ "):
            complaints.append(Complaint(origin, f"{name}: not a package's name (globs are not honoured)"))
    return complaints
