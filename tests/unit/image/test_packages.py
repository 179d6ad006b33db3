"""Which packages an image is made of, and which never get into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from image import mirror
from image.kickstart import Kickstart
from image.mirror import Archive
from image.packages import check_excluded, check_names, package_list
from node.errors import InputError
from tests.unit.image.conftest import KickstartText


def test_what_the_build_needs_is_there_whatever_the_kickstart_names(kickstart: KickstartText) -> None:
    found = package_list(kickstart("%packages\nlinux-image-amd64\n%end\n"), ("python3",), ("bash",))
    assert found.wanted == ("linux-image-amd64", "python3")
    # Root's lock is set by passwd's usermod, even where the kickstart names no such package.
    assert {"passwd", "dracut", "bash"} <= set(found.build)


def test_a_removed_package_that_the_build_needs_is_only_kept_out_of_the_image(
    kickstart: KickstartText,
) -> None:
    ks = kickstart("%packages\n-curl\n-nano\n%end\n")
    found = package_list(ks, (), ())
    assert found.excluded == ("nano",)
    assert "curl" in found.build
    check_excluded(ks, {"dash"})
    with pytest.raises(InputError) as caught:
        check_excluded(ks, {"curl", "dash"})
    assert "main.ks:2: -curl: the image needs this package" in caught.value.details


def test_a_removed_package_that_the_node_needs_is_refused(kickstart: KickstartText) -> None:
    with pytest.raises(InputError) as caught:
        package_list(kickstart("%packages\n-netplan.io\n%end\n"), ("netplan.io",), ())
    assert "main.ks:2: -netplan.io: the node itself needs this package" in caught.value.details


def simulated(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have apt say that it would install these."""
    said = "".join(f"Inst {name} (1.0 Debian:13/stable [amd64])\n" for name in ("libc6", *names))
    monkeypatch.setattr(mirror, "run", lambda *_, **__: f"Reading package lists...\n{said}Conf libc6 (1.0)\n")


def check(ks: Kickstart, tmp_path: Path) -> None:
    (tmp_path / "preferences.d").mkdir()
    check_names(ks, package_list(ks, (), ()), Archive(tmp_path, "", 0))


def test_packages_without_a_kernel_are_refused_before_anything_is_fetched(
    kickstart: KickstartText, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    simulated(monkeypatch, "bash")
    with pytest.raises(InputError, match="needs one kernel, and its packages bring none") as caught:
        check(kickstart("%packages\nbash\n%end\n"), tmp_path)
    assert caught.value.mend == "name linux-image-amd64 in %packages"


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("linux-image-6.12.48+deb13-amd64", ""),
        ("vendor-kernel-6.8", ""),
        ("bash", "%post\ndpkg -i /root/linux.deb\n%end\n"),
    ],
)
def test_a_kernel_may_come_by_another_package_or_by_a_script(
    kickstart: KickstartText, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, script: str
) -> None:
    simulated(monkeypatch, name)
    check(kickstart(f"%packages\nmeta\n%end\n{script}"), tmp_path)
