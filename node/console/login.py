"""Who is an admin at the console: judged by the hash that is in force, as log-in prompts do.

The running node's /etc/shadow counts, not the stored state: it is made of the state at each start, takes over
what passwd changes, and is there on a node that keeps nothing. PAM is left out on purpose: what its stack
would judge beyond the hash (a lock, an expiry, a password too old) stands in the same line, and a process
that anybody may type at has no need for modules that run inside it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path

from node.system.account_lines import line_key

_EPOCH = date(1970, 1, 1)
# base-passwd's group of those who may become root, which the section `access` puts the admin user in.
_ADMINS = "sudo"
_NEVER = 99999


class Verdict(StrEnum):
    """How a try ended; only a right password learns more than WRONG."""

    ADMITTED = "admitted"
    WRONG = "the name or the password is wrong"
    NO_ADMIN = "this account may change nothing here"
    CLOSED = "this account is closed"
    AGED = "the password is too old: log in at the prompt, which asks for a new one"


def judge(
    user: str,
    password: str,
    *,
    verify: Callable[[str, str], bool],
    no_hash: str,
    etc: Path = Path("/etc"),
    today: date | None = None,
) -> Verdict:
    """Judge one try by /etc/shadow and /etc/group. `no_hash` is what an unknown user's try is compared with.

    So a name that exists takes no longer to refuse than one that doesn't.
    """
    fields = _fields(etc / "shadow", user)
    hashed = fields[1] if len(fields) > 1 else ""
    usable = hashed.startswith("$")
    if not verify(password, hashed if usable else no_hash) or not usable:
        return Verdict.WRONG
    day = ((today or date.today()) - _EPOCH).days
    expires = _number(fields, 7, -1)
    if 0 <= expires <= day:
        return Verdict.CLOSED
    changed, most = _number(fields, 2, -1), _number(fields, 4, _NEVER)
    if changed == 0 or (changed > 0 and most < _NEVER and changed + most < day):
        return Verdict.AGED
    if user != "root" and user not in _members(etc / "group"):
        return Verdict.NO_ADMIN
    return Verdict.ADMITTED


def _fields(path: Path, user: str) -> list[str]:
    return next((line.split(":") for line in _lines(path) if line_key(line) == user), [])


def _members(path: Path) -> list[str]:
    fields = _fields(path, _ADMINS)
    return fields[3].split(",") if len(fields) > 3 else []


def _number(fields: list[str], place: int, default: int) -> int:
    try:
        return int(fields[place])
    except (IndexError, ValueError):
        return default


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
