"""Owners go by name; a stranger never gets what was somebody else's."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.kept import Entry, Kind
from node.persist.kept_owners import Accounts, acl_from_text, acl_to_text, owner_here, read_accounts

HERE = Accounts({"root": 0, "svc": 500, "other": 990}, {"root": 0, "svc": 501, "other": 991})


@pytest.mark.parametrize(
    ("user", "uid", "group", "gid", "mode", "wanted"),
    [
        ("root", 0, "root", 0, 0o4755, (0, 0, 0o4755)),
        ("svc", 990, "svc", 991, 0o2640, (500, 501, 0o2640)),
        # No such name here, and its number is free or somebody else's.
        ("gone", 77, "root", 0, 0o644, (77, 0, 0o644)),
        ("gone", 990, "root", 0, 0o4755, (0, 0, 0o700)),
        ("root", 0, "gone", 991, 0o6775, (0, 0, 0o4705)),
        ("", 100_000, "", 100_000, 0o644, (100_000, 100_000, 0o644)),
        ("", 990, "root", 0, 0o644, (0, 0, 0o600)),
    ],
)
def test_owner(user: str, uid: int, group: str, gid: int, mode: int, wanted: tuple[int, int, int]) -> None:
    entry = Entry("/x", Kind.FILE, mode=mode, uid=uid, gid=gid, user=user, group=group)
    found = owner_here(entry, HERE)
    assert (found.uid, found.gid, found.mode) == wanted
    assert bool(found.lost) is (found.mode != mode)


names = st.sampled_from([*HERE.users, "77", "100000"])
parts = st.tuples(st.sampled_from(["user", "group"]), names, st.sampled_from(["rwx", "r--", "---", "r-x"]))


@given(st.lists(parts, max_size=5, unique_by=lambda part: part[:2]))
def test_acls_are_read_as_they_were_written(given_parts: list[tuple[str, str, str]]) -> None:
    base = ["user::rw-", "group::r--", "mask::rwx", "other::---"]
    text = ",".join([*base, *(":".join(part) for part in given_parts)])
    again = acl_to_text(acl_from_text(text, HERE), HERE)
    assert sorted(again.split(",")) == sorted(text.split(","))


def test_acls_name_nobody_who_was_not_meant() -> None:
    there = Accounts({"gone": 990, "svc": 1}, {})
    items = [(1, 6, -1), (2, 7, 990), (2, 7, 1), (2, 7, 500), (4, 4, -1), (0x10, 7, -1), (0x20, 0, -1)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *item) for item in items)
    text = acl_to_text(value, there)
    assert text == "user::rw-,user:gone:rwx,user:svc:rwx,user:500:rwx,group::r--,mask::rwx,other::---"
    # `gone` isn't here, and 500 is svc's: only svc by its name comes through.
    assert (
        acl_to_text(acl_from_text(text, HERE), HERE)
        == "user::rw-,user:svc:rwx,group::r--,mask::rwx,other::---"
    )


@pytest.mark.parametrize("value", [b"", b"\1\0\0\0", b"\2\0\0\0x", struct.pack("<IHHI", 2, 3, 0, 0)])
def test_what_is_no_acl(value: bytes) -> None:
    with pytest.raises(ValueError):
        acl_to_text(value, HERE)


def test_accounts_are_the_roots_own(tmp_path: Path) -> None:
    assert read_accounts(tmp_path) == Accounts({}, {})
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:\nbroken\nalso:x:y:\nroot:x:7:7\n")
    assert read_accounts(tmp_path).users == {"root": 0}
