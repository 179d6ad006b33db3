"""The accounts and groups that an image has of its own, which no user of the configuration may take over."""

from __future__ import annotations

from pathlib import Path

from node.model.origin import Origin
from node.model.problem import Problem

# The read-only image below the root that runs.
IMAGE = Path("/run/node/lower")
# login.defs(5), SYS_UID_MAX of Debian: above it stand people, whom an image has only as a script made them.
_LAST_OF_SYSTEM = 999
_MOST_BYTES = 1 << 20


def system_names(image: Path) -> frozenset[str]:
    """Give the names of an image's own accounts and groups; none where its files can't be read."""
    names = set()
    for database in ("passwd", "group"):
        try:
            with (image / "etc" / database).open(encoding="utf-8", errors="replace") as file:
                lines = file.read(_MOST_BYTES).splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, *numbers = [*line.split(":"), "", ""][:3]
            if numbers[0].isdigit() and int(numbers[0]) <= _LAST_OF_SYSTEM:
                names.add(name)
    return frozenset(names)


def check_account(name: str, *, where: str, origin: Origin, image: Path = IMAGE) -> tuple[Problem, ...]:
    """Give the problem of a user whose name an account or group of the image has.

    The line of that account would be replaced by the user's, and what runs under it would run as them.
    """
    if name not in system_names(image):
        return ()
    return (
        Problem(
            code="user-name-taken",
            where=where,
            what=f"'{name}' is an account of the system",
            mend="Choose another name",
            origin=origin,
            owner="access",
        ),
    )
