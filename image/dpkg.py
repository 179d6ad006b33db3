"""What dpkg knows about a tree: its packages, their files, and which of them nothing needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_FIELD = re.compile(r"^([A-Za-z-]+): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """An installed package. `needs` are alternatives: of each group one name is enough."""

    name: str
    version: str
    needs: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()
    is_essential: bool = False


def parse_status(text: str) -> dict[str, Package]:
    """The installed packages of a dpkg status file, by name."""
    packages: dict[str, Package] = {}
    for paragraph in text.split("\n\n"):
        fields = dict(_FIELD.findall(paragraph))
        if not fields.get("Status", "").endswith(" installed"):
            continue
        needs = ",".join(filter(None, (fields.get("Pre-Depends"), fields.get("Depends"))))
        packages[fields["Package"]] = Package(
            name=fields["Package"],
            version=fields["Version"],
            needs=tuple(_alternatives(group) for group in needs.split(",") if group.strip()),
            provides=tuple(_name(one) for one in fields.get("Provides", "").split(",") if one.strip()),
            is_essential=fields.get("Essential") == "yes" or fields.get("Priority") == "required",
        )
    return packages


def _alternatives(group: str) -> tuple[str, ...]:
    return tuple(_name(one) for one in group.split("|"))


def _name(dependency: str) -> str:
    return re.split(r"[\s(:\[<]", dependency.strip(), maxsplit=1)[0]


def installed(tree: Path) -> dict[str, Package]:
    """The packages of a tree."""
    return parse_status((tree / "var/lib/dpkg/status").read_text(encoding="utf-8"))


def unneeded(
    packages: Mapping[str, Package], wanted: Iterable[str], dropped: Iterable[str] = ()
) -> list[str]:
    """Packages that neither are wanted or essential nor needed by one that is, sorted.

    Where a dependency has alternatives, every one that is installed counts as needed: rather a package
    too many than one too few. A `dropped` one goes even where something needs it, unless it is wanted.
    """
    wanted = set(wanted)
    dropped = set(dropped) - wanted
    providers: dict[str, set[str]] = {}
    for package in packages.values():
        for name in (package.name, *package.provides):
            providers.setdefault(name, set()).add(package.name)
    waiting = [one for name in wanted for one in providers.get(name, ())]
    waiting += [package.name for package in packages.values() if package.is_essential]
    kept: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in kept or name in dropped:
            continue
        kept.add(name)
        for group in packages[name].needs:
            waiting += [one for alternative in group for one in providers.get(alternative, ())]
    return sorted(set(packages) - kept)


def package_files(tree: Path) -> dict[str, list[str]]:
    """Each package's paths, folders among them, as dpkg lists them."""
    lists: dict[str, list[str]] = {}
    for path in sorted((tree / "var/lib/dpkg/info").glob("*.list")):
        name = path.name.removesuffix(".list").partition(":")[0]
        lists[name] = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return lists
