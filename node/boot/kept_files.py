"""What units run around kept files.

`watch` saves their changes, `save` the last ones; `begin` notes what the start changed by itself, and `warn`
says what else a restart loses.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from node.boot.alarms import raise_alarms
from node.boot.consoles import active_consoles, write_line
from node.boot.kept_watch import KeptWatch
from node.errors import NodeError
from node.persist.kept_changes import Change
from node.persist.kept_diff import read_lost
from node.persist.kept_places import KeptPlaces
from node.persist.kept_set import save
from node.persist.kept_start import note_start
from node.system.inotify import Watches

_LINES_AT_MOST = 10
_SETTLING_S, _SETTLING_TRIES = 5.0, 6


def warning_lines(lost: tuple[Change, ...]) -> list[str]:
    """Give what a restart says of changes that it loses, in plain ASCII; nothing for none."""
    if not lost:
        return []
    lines = [f"  {change.what.value:<14} {_plain(change.path)}" for change in lost[:_LINES_AT_MOST]]
    if len(lost) > _LINES_AT_MOST:
        lines.append(f"  and {len(lost) - _LINES_AT_MOST} more")
    return [
        "nodecrust: these changes are lost now, since they are not kept (nodectl persist add):",
        *lines,
    ]


def terminals(dev: Path = Path("/dev")) -> list[str]:
    """Give the consoles and the terminals of sessions, by their names below /dev."""
    sessions = sorted(path.name for path in (dev / "pts").glob("[0-9]*"))
    return [*active_consoles(), *(f"pts/{name}" for name in sessions)]


def watch(places: KeptPlaces) -> int:
    """Save changes until nothing is kept any more."""
    watches = Watches()
    try:
        KeptWatch(places, watches, tell=_tell, alarm=_alarm).run()
    finally:
        watches.close()
    return 0


def save_last(places: KeptPlaces) -> int:
    """Save what the services changed while they stopped; a failure is said on the consoles."""
    try:
        saved = save(places)
    except NodeError as error:
        words = [f"the last changes of kept files could not be saved: {error.brief}", error.details]
    else:
        words = [f"{path} could not be saved: {why}" for path, why in saved.not_saved.items()]
    for line in filter(None, words):
        print(line, flush=True)
        write_line(f"nodecrust: {_plain(line)}", active_consoles())
    return 1 if words else 0


def begin(places: KeptPlaces) -> int:
    """Note what the start itself changed, so that it isn't warned of; of slow services for a little while."""
    note_start(places)
    for _ in range(_SETTLING_TRIES):
        time.sleep(_SETTLING_S)
        note_start(places, only_late=True)
    return 0


def warn(places: KeptPlaces) -> int:
    """Say on every console, and to whoever is logged in, which changes this restart loses."""
    lines = warning_lines(read_lost(places))
    if lines:
        print("\n".join(lines), flush=True)
        # A line at a time would be torn apart by the words of services that stop.
        write_line("\r\n" + "\r\n".join(lines), terminals())
    return 0


def main() -> int:
    """Do one of them."""
    verbs = {"watch": watch, "save": save_last, "begin": begin, "warn": warn}
    return verbs[sys.argv[1]](KeptPlaces())


def _tell(line: str) -> None:
    print(_plain(line), flush=True)


def _alarm(line: str) -> None:
    _tell(line)
    raise_alarms([_plain(line)])


def _plain(text: str) -> str:
    ascii_text = text.encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in ascii_text)


if __name__ == "__main__":
    sys.exit(main())
