"""What happened to the node, by comparing it with what was seen last; kept on CONFIG until it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from node.model.registration import Happening
from node.model.status import NodeStatus, faults
from node.model.system import Files
from node.persist.store import Version

FILE = "happenings.json"
# What a server that is away for months misses at most: the newest stay.
KEPT = 1000


@dataclass(frozen=True)
class Seen:
    """The node as seen last. `version` is the number of the configuration, -1 before the first look."""

    boot_id: str = ""
    faults: tuple[str, ...] = ()
    version: int = -1
    install: str = ""


@dataclass(frozen=True)
class Happenings:
    """What is kept: the last number given, what was seen, and what was not told to everybody yet."""

    number: int = 0
    seen: Seen = field(default_factory=Seen)
    kept: tuple[Happening, ...] = ()


def read_happenings(folder: Path, files: Files) -> Happenings:
    """Give what is kept; nothing where it can't be read."""
    try:
        data: dict[str, Any] = json.loads(files.read(folder / FILE))
        seen = data["seen"]
        return Happenings(
            int(data["number"]),
            Seen(str(seen["boot_id"]), tuple(seen["faults"]), int(seen["version"]), str(seen["install"])),
            tuple(Happening(**each) for each in data["kept"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Happenings()


def write_happenings(folder: Path, files: Files, happenings: Happenings) -> None:
    """Keep it: numbers and what they were given for in one file, so that nothing is told twice."""
    text = json.dumps(asdict(happenings), indent=1) + "\n"
    files.write(folder / FILE, text.encode(), mode=0o600)


def looked(
    before: Happenings, status: NodeStatus, versions: Sequence[Version], *, boot_id: str, now: datetime
) -> Happenings:
    """Add what happened since the last look; a fault that came and went in between is not seen."""
    seen, news = before.seen, []
    installed = status.installed.install_id if status.installed else ""
    if installed and installed != seen.install and status.installed:
        news.append((status.installed.at, "installed", f"installed as {installed}"))
    if boot_id != seen.boot_id:
        at = (now - timedelta(seconds=status.uptime_s)).astimezone(UTC)
        news.append((_time(at), "started", f"started {_image(status)}"))
    newest = max((version.number for version in versions), default=0)
    if seen.version >= 0:
        for version in sorted(versions, key=lambda version: version.number):
            if version.number > seen.version:
                at = version.at or now
                news.append((_time(at), "configuration", f"version {version.number}: {version.reason}"))
    found = faults(status)
    news += [(_time(now), "fault", fault) for fault in found if fault not in seen.faults]
    news += [(_time(now), "mended", fault) for fault in seen.faults if fault not in found]
    kept = list(before.kept)
    for number, (when, kind, words) in enumerate(news, start=before.number + 1):
        kept.append(Happening(number, when, kind, words))
    return Happenings(before.number + len(news), Seen(boot_id, found, newest, installed), tuple(kept[-KEPT:]))


def told(happenings: Happenings, heard: Sequence[int]) -> Happenings:
    """Leave out what every backend that sends happenings has sent."""
    if not heard:
        return happenings
    kept = tuple(each for each in happenings.kept if each.number > min(heard))
    return Happenings(happenings.number, happenings.seen, kept)


def condition_of(status: NodeStatus) -> Mapping[str, Any]:
    """Give the node in the few values that every heartbeat tells."""
    image = status.image
    return {
        "health": "degraded" if faults(status) else "ok",
        "version": image.version if image else "",
        "slot": image.slot if image else "",
    }


def _image(status: NodeStatus) -> str:
    if status.image is None:
        return "without an image of ours"
    where = f"slot {status.image.slot}" if status.image.slot else status.image.source
    return f"{status.image.name} {status.image.version} from {where}".strip()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
