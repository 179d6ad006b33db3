"""Owners by name: numbers of accounts differ between images, so names go with what is kept."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from node.model.kept import Entry

# acl(5) as the kernel's xattrs have it (linux/posix_acl_xattr.h): a version, then tag, permissions, number.
_ACL_VERSION = 2
_HEAD, _ITEM = struct.Struct("<I"), struct.Struct("<HHI")
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_TAGS = {
    "user": (_USER_OBJ, _USER),
    "group": (_GROUP_OBJ, _GROUP),
    "mask": (_MASK, _MASK),
    "other": (_OTHER,) * 2,
}
_NAMES = {tag: name for name, tags in _TAGS.items() for tag in tags}
_NOBODY = 0xFFFFFFFF


@dataclass(frozen=True)
class Accounts:
    """The names and numbers of a root's users and groups."""

    users: Mapping[str, int]
    groups: Mapping[str, int]

    def user_name(self, number: int) -> str:
        """Give the name of a user, "" where the number has none."""
        return next((name for name, uid in self.users.items() if uid == number), "")

    def group_name(self, number: int) -> str:
        """Give the name of a group, "" where the number has none."""
        return next((name for name, gid in self.groups.items() if gid == number), "")


@dataclass(frozen=True)
class Owner:
    """Who owns an entry here; `lost` says in words which name of it is not known here, "" where all are."""

    uid: int
    gid: int
    mode: int
    lost: str = ""


def read_accounts(root: Path) -> Accounts:
    """Read /etc/passwd and /etc/group of a root; empty where it has none."""
    return Accounts(_numbers(root / "etc/passwd"), _numbers(root / "etc/group"))


def owner_here(entry: Entry, accounts: Accounts) -> Owner:
    """Give an entry's owner and mode among these accounts.

    A number without its name goes to root, when it isn't free here, rather than to a stranger: then nobody
    else may read it either.
    """
    uid = _number(entry.user, entry.uid, accounts.users)
    gid = _number(entry.group, entry.gid, accounts.groups)
    mode, lost = entry.mode, []
    if uid is None:
        mode &= 0o1700
        lost.append(f"the user {entry.user or entry.uid}")
    if gid is None:
        mode &= 0o5707
        lost.append(f"the group {entry.group or entry.gid}")
    return Owner(uid or 0, gid or 0, mode, " and ".join(lost))


def acl_to_text(value: bytes, accounts: Accounts) -> str:
    """Give an ACL of the kernel's form as text with names, such as `user::rw-,user:admin:r--,...`.

    ValueError where it is none.
    """
    if len(value) < _HEAD.size or (len(value) - _HEAD.size) % _ITEM.size:
        raise ValueError("not an ACL")
    if _HEAD.unpack_from(value)[0] != _ACL_VERSION:
        raise ValueError("not an ACL of version 2")
    items = []
    for tag, bits, number in _ITEM.iter_unpack(value[_HEAD.size :]):
        if tag not in _NAMES:
            raise ValueError(f"an ACL with the tag {tag}")
        who = ""
        if tag in (_USER, _GROUP):
            who = (accounts.user_name if tag == _USER else accounts.group_name)(number) or str(number)
        letters = "".join(letter if bits & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))
        items.append(f"{_NAMES[tag]}:{who}:{letters}")
    return ",".join(items)


def acl_from_text(text: str, accounts: Accounts) -> bytes:
    """Give the kernel's form of an ACL that `acl_to_text` gave, without those who are not known here.

    ValueError where it is none.
    """
    items = []
    for part in text.split(","):
        kind, who, letters = part.split(":")
        bits = sum(bit for letter, bit in (("r", 4), ("w", 2), ("x", 1)) if letter in letters)
        own, named = _TAGS.get(kind, (0, 0))
        if not own:
            raise ValueError(f"{kind!r} is no part of an ACL")
        if not who:
            items.append((own, bits, _NOBODY))
            continue
        numbers = accounts.users if named == _USER else accounts.groups
        # A number without a name may be somebody's here, who was never meant.
        free = int(who) if who.isdigit() and int(who) not in numbers.values() else None
        number = numbers.get(who, free)
        if number is not None:
            items.append((named, bits, number))
    # The kernel wants them sorted by tag and number.
    return _HEAD.pack(_ACL_VERSION) + b"".join(_ITEM.pack(*item) for item in sorted(items, key=_place))


def _place(item: tuple[int, int, int]) -> tuple[int, int]:
    return item[0], item[2]


def _number(name: str, number: int, known: Mapping[str, int]) -> int | None:
    if name in known:
        return known[name]
    return None if number in known.values() else number


def _numbers(path: Path) -> dict[str, int]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: dict[str, int] = {}
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2].isdigit():
            found.setdefault(fields[0], int(fields[2]))
    return found
