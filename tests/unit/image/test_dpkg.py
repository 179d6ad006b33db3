"""What dpkg's status file says, and which packages nothing needs."""

from __future__ import annotations

from image.dpkg import parse_status, unneeded

STATUS = """Package: base
Essential: yes
Status: install ok installed
Version: 1
Depends: libc (>= 2)

Package: libc
Status: install ok installed
Version: 2:3-4
Description: x
 Depends: fake

Package: kernel
Status: install ok installed
Version: 6
Depends: tool | other-tool, kmod:any

Package: kmod
Status: install ok installed
Version: 1

Package: maker
Status: install ok installed
Version: 1
Provides: tool (= 1), other
Depends: maker-core

Package: maker-core
Status: install ok installed
Version: 1

Package: gone
Status: deinstall ok config-files
Version: 1
"""


def test_installed_packages() -> None:
    packages = parse_status(STATUS)
    assert sorted(packages) == ["base", "kernel", "kmod", "libc", "maker", "maker-core"]
    assert packages["libc"].version == "2:3-4"
    assert packages["libc"].needs == ()
    assert packages["kernel"].needs == (("tool", "other-tool"), ("kmod",))
    assert packages["maker"].provides == ("tool", "other")


def test_what_is_needed_stays() -> None:
    packages = parse_status(STATUS)
    assert unneeded(packages, ["kernel"]) == []
    assert unneeded(packages, []) == ["kernel", "kmod", "maker", "maker-core"]
    assert unneeded(packages, ["maker"]) == ["kernel", "kmod"]


def test_what_is_dropped_goes_unless_it_is_wanted() -> None:
    packages = parse_status(STATUS)
    assert unneeded(packages, ["kernel"], ["maker"]) == ["maker", "maker-core"]
    assert unneeded(packages, ["kernel", "maker"], ["maker"]) == []
