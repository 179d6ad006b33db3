"""Which packages an image is made of, and which never get into it."""

from __future__ import annotations

import pytest

from image.packages import check_excluded, package_list
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
