"""Where the packages come from, and what its state is: asked of apt, kept out of every image."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from image.cache import key_of, locked
from image.kickstart import Suite
from image.process import last_words, run
from node.errors import CommandFailedError, InputError, NodeError, TryAgainError

ARCHITECTURE = "amd64"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# What the build machine's apt needs to reach its mirror: proxies, certificates, clocks, logins.
_REACH_OPTIONS = re.compile(
    r'^(Acquire::(?:http|https|ftp|Retries|Check-Valid-Until|ForceIPv\d)\b\S*|Dir::Etc::netrc(?:parts)?) "'
)

_UNREACHABLE = re.compile(
    r"Could not (?:connect|resolve)|Temporary failure|Connection (?:refused|timed out|failed)|"
    r"Unable to connect|No route to host|Network is unreachable|Failed to fetch|"
    r"Could not handshake|does not have a Release file|Some index files failed",
    re.IGNORECASE,
)
_UNTRUSTED = re.compile(r"NO_PUBKEY|is not signed|BADSIG|EXPKEYSIG|REVKEYSIG")
_UNKNOWN = re.compile(
    r"E: (?:Unable to locate package (\S+)|Package '(\S+)' has no installation candidate|"
    r"Couldn't find any package by (?:glob|regex) '(\S+)')"
)
_INSTALLED = re.compile(r"^Inst (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Mirror:
    """Addresses of the Debian archive and of its security archive; never printed, never kept."""

    main: str
    security: str

    def source_lines(self, suites: Sequence[Suite]) -> list[str]:
        """The suites in sources.list's one-line form."""
        options = f"[arch={ARCHITECTURE} signed-by={KEYRING}]"
        return [
            f"deb {options} {self.security if suite.is_security else self.main} "
            f"{suite.name} {' '.join(suite.components)}"
            for suite in suites
        ]

    def hidden(self, words: str) -> str:
        """A text without the addresses."""
        for address in sorted((self.main, self.security), key=len, reverse=True):
            words = words.replace(address, "(mirror)")
        return words


def discover(main: str | None, security: str | None, environment: Mapping[str, str]) -> Mirror:
    """The mirror asked for, else $NODE_IMAGE_MIRROR, else the one that this machine's own apt uses.

    The security archive is `security`, else the one of this machine, else `debian-security` beside
    the main one, as on Debian's own mirrors. Raises InputError where nothing says which.
    """
    main = main or environment.get("NODE_IMAGE_MIRROR")
    if main and security:
        return Mirror(main.rstrip("/"), security.rstrip("/"))
    own = {} if main else _of_this_machine()
    main = (main or own.get("Debian") or "").rstrip("/")
    if not main:
        raise InputError(
            "no Debian mirror is known: this machine's apt has none",
            mend="name one by --mirror URL or NODE_IMAGE_MIRROR",
        )
    beside = re.sub(r"/debian$", "/debian-security", main)
    return Mirror(main, (security or own.get("Debian-Security") or beside).rstrip("/"))


def _of_this_machine() -> dict[str, str]:
    """Label of the release to address, for what this machine's apt has indexes of."""
    try:
        said = run(["apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)", "Created-By: Packages"])
    except CommandFailedError:
        return {}
    pairs = [line.split("|", 1) for line in said.splitlines() if "|" in line]
    # The first of a label counts.
    return {pair[0]: pair[1] for pair in reversed(pairs)}


def reach_options() -> list[str]:
    """The lines of this machine's apt configuration that matter for reaching a mirror."""
    said = run(["apt-config", "dump"])
    return [line for line in said.splitlines() if _REACH_OPTIONS.match(line)]


@dataclass(frozen=True)
class Archive:
    """The state of the suites on a mirror, in an apt root of our own."""

    folder: Path
    # SHA-256 over the signed release files: the packages of a build depend on nothing else there.
    state: str
    # Seconds since 1970 of the newest release file.
    date: int


def refresh(cache: Path, mirror: Mirror, suites: Sequence[Suite]) -> Archive:
    """Fetch the suites' indexes, checked against Debian's keys, as far as they changed.

    Raises TryAgainError where the mirror can't be reached, InputError for a suite that it lacks,
    NodeError where a signature is wrong.
    """
    lines = mirror.source_lines(suites)
    folder = cache / "apt" / key_of(lines)
    with locked(cache / "locks" / f"apt-{folder.name}"):
        for part in ("lists/partial", "archives/partial", "preferences.d"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            run(["apt-get", *options(folder), "-o", "APT::Update::Error-Mode=any", "update"])
        except CommandFailedError as error:
            raise _explain(error, mirror) from error
        releases = sorted((folder / "lists").glob("*InRelease"), key=lambda path: path.name)
        digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in releases))
        dates = [_date(path) for path in releases]
        return Archive(folder, digest.hexdigest(), max(dates, default=0))


def options(folder: Path) -> list[str]:
    """What makes apt use our root; this machine's own proxies and logins still count.

    As options, since a configuration file of ours would be read before this machine's own.
    """
    settings = {
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        # Some machines, containers mostly, have these switched off.
        "Dir::Cache::pkgcache": "pkgcache.bin",
        "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": folder / "preferences.d",
        "Dir::Etc::preferences": "-",
        "APT::Architecture": ARCHITECTURE,
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


@dataclass(frozen=True)
class Simulated:
    """What apt would do: the packages that it would install, or those that the suites don't have."""

    installed: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()


def simulate(archive: Archive, names: Sequence[str], excluded: Sequence[str]) -> Simulated:
    """Say what installing these packages would do. Raises InputError where they don't fit together."""
    with locked(archive.folder / "simulate.lock"):
        (archive.folder / "preferences.d" / "excluded").write_text(preferences(excluded), encoding="utf-8")
        try:
            said = run(
                ["apt-get", *options(archive.folder), "install", "--simulate", "-q", *names],
                lines=10_000,  # one for each unknown package
            )
        except CommandFailedError as error:
            unknown = {next(filter(None, groups)) for groups in _UNKNOWN.findall(error.details)}
            if unknown:
                return Simulated(unknown=tuple(sorted(unknown)))
            raise InputError(
                "the packages don't fit together: apt can't install them all",
                details=last_words(error.details),
            ) from error
    return Simulated(frozenset(_INSTALLED.findall(said)))


def names(archive: Archive, prefix: str) -> frozenset[str]:
    """The packages of the suites whose names begin with a prefix."""
    return frozenset(run(["apt-cache", *options(archive.folder), "pkgnames", prefix]).split())


def preferences(excluded: Sequence[str]) -> str:
    """What makes apt let no excluded package in, not even as a dependency."""
    return "".join(f"Package: {name}\nPin: release *\nPin-Priority: -1\n\n" for name in excluded)


def fetch(archive: Archive, names: Sequence[str], folder: Path) -> list[Path]:
    """Fetch packages of the suites into a folder, checked by apt. Raises as `refresh` does."""
    try:
        run(["apt-get", *options(archive.folder), "download", "-q", *names], cwd=folder)
    except CommandFailedError as error:
        raise _explain(error, None) from error
    return sorted(folder.glob("*.deb"))


def _explain(error: CommandFailedError, mirror: Mirror | None) -> NodeError:
    words = mirror.hidden(error.details) if mirror else error.details
    if _UNTRUSTED.search(words):
        return NodeError("the mirror's signature is wrong: nothing of it is used", details=words)
    if "Malformed entry" in words:
        return InputError(
            "the mirror's address is no URL that apt takes", mend="give one as http://HOST/debian"
        )
    if "does not have a Release file" in words:
        return InputError("the mirror lacks a suite that the kickstart names", details=words)
    if _UNREACHABLE.search(words):
        return TryAgainError(
            "the mirror can't be reached", details=words, mend="try later, or name another by --mirror"
        )
    return NodeError("apt failed", details=words)


def _date(release: Path) -> int:
    for line in release.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name == "Date":
            return int(parsedate_to_datetime(value.strip()).timestamp())
    return 0
