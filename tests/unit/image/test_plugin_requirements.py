"""What plugins need: named all at once, with Debian's package where there is one."""

from __future__ import annotations

import pytest

from image.dpkg import Package
from image.plugins.plugin import Distribution, Plugin
from image.plugins.requirements import Inside, check_requirements
from node.errors import InputError

PACKAGES = {
    "python3": Package("python3", "3.13.5-1"),
    "python3-yaml": Package("python3-yaml", "6.0.2-1+b2", provides=("python3.13-yaml",)),
}


def plugin(*requires: str, python: str = "", depends: str = "") -> Plugin:
    one = Distribution("vendor-lamp", "1.2", {"lamp": "lamp"}, requires=requires, requires_python=python)
    return Plugin("lamp.whl", "", (one,), {}, "vendor" if depends else "", depends)


def inside(*debian: str) -> Inside:
    return Inside("3.13.5", {"pyyaml": "6.0.2", "nodecrust": "0.1.0"}, PACKAGES, debian=debian.__contains__)


def refused(one: Plugin, where: Inside) -> InputError:
    with pytest.raises(InputError) as caught:
        check_requirements([one], where)
    return caught.value


def test_what_is_there() -> None:
    check_requirements(
        [
            plugin(
                "PyYAML>=6,<7",
                "nodecrust",
                "tomli; python_version < '3.11'",
                "pytest; extra == 'test'",
                "pywin32; sys_platform == 'win32'",
                python=">=3.11",
            )
        ],
        inside(),
    )


def test_debian_has_it() -> None:
    error = refused(plugin("py_netbox>=7"), inside("python3-py-netbox"))
    assert error.brief == "vendor-lamp 1.2 (lamp.whl) needs py_netbox>=7, which the image lacks"
    assert error.mend == "add python3-py-netbox to the kickstart's %packages"


def test_debian_has_it_not() -> None:
    assert refused(plugin("pynetbox"), inside()).mend == (
        "Debian has no python3-pynetbox in the image's suites: give it as a pure wheel beside the plugin"
    )


def test_nobody_knows() -> None:
    error = refused(plugin("libvirt-python"), Inside("3.13.5", {}))
    assert "with python3-libvirt in its kickstart's %packages" in error.mend


def test_versions() -> None:
    assert refused(plugin("pyyaml>=7"), inside()).brief.endswith("needs pyyaml>=7, and the image has 6.0.2")
    assert "needs Python >=3.14, and the image has 3.13.5" in refused(plugin(python=">=3.14"), inside()).brief


def test_nonsense() -> None:
    assert "its metadata can't be read" in refused(plugin("py yaml"), inside()).brief
    assert "its metadata can't be read" in refused(plugin(python="no"), inside()).brief


def test_everything_at_once() -> None:
    error = refused(plugin("a", "pyyaml>=7", "b"), inside())
    assert error.brief == "3 things are wrong with the plugins"
    assert all(words in error.details for words in ("needs a,", "needs pyyaml>=7", "needs b,"))


def test_what_is_given_beside_it() -> None:
    wire = Plugin("wire.whl", "", (Distribution("lamp.wire", "2", {}),), {})
    check_requirements([plugin("lamp-wire>=2"), wire], inside())
    with pytest.raises(InputError, match="lamp-wire>=3, and the image has 2"):
        check_requirements([plugin("lamp-wire>=3"), wire], inside())


@pytest.mark.effects("processes")
@pytest.mark.parametrize(
    ("depends", "missing"),
    [
        ("python3, python3-yaml (>= 6), python3:any", None),
        ("python3-tomli | python3-yaml", None),
        ("python3.13-yaml", None),
        ("python3-yaml (<< 6)", "python3-yaml (<< 6)"),
        ("python3, ipmitool (>= 1.8)", "ipmitool (>= 1.8)"),
        ("ipmitool | freeipmi-tools", "ipmitool | freeipmi-tools"),
        ("python3 (>= 3~)", None),
        ("$x", "'$x' can't be read"),
    ],
)
def test_packages(depends: str, missing: str | None) -> None:
    if missing is None:
        check_requirements([plugin(depends=depends)], inside())
    else:
        assert missing in refused(plugin(depends=depends), inside()).brief
