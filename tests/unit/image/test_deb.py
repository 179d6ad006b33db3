"""Our own package: its dependencies in Debian's names, its files, the same bytes each time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from image import deb
from node.errors import NodeError


@pytest.mark.parametrize(
    ("requirement", "package"),
    [
        ("click>=8.1", "python3-click"),
        ("PyYAML", "python3-yaml"),
        ("pyparted>=3.13", "python3-parted"),
        ("libvirt-python>=9", "python3-libvirt"),
        ("typing_extensions", "python3-typing-extensions"),
    ],
)
def test_debian_names(requirement: str, package: str) -> None:
    assert deb.debian_name(requirement) == package


def test_extras_are_not_needed() -> None:
    needed = deb.depends(["click>=8.1", 'rich>=13; extra == "image"'])
    assert "python3-click" in needed
    assert "python3-rich" not in needed
    assert {"python3", "netplan.io", "systemd"} <= set(needed)


def test_the_own_installation_needs_what_pyproject_says() -> None:
    needed = deb.of_this_installation()
    assert {"python3-pluggy", "python3-pydantic", "python3-parted", "python3-yaml"} <= set(needed)


def test_no_requirement() -> None:
    with pytest.raises(NodeError):
        deb.debian_name("?")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    root = tmp_path / "node"
    (root / "boot/units/ssh.service.d").mkdir(parents=True)
    (root / "__pycache__").mkdir()
    (root / "__init__.py").write_text("")
    (root / "py.typed").write_text("")
    (root / "__pycache__/x.pyc").write_text("")
    (root / "boot/units/node-a.service").write_text("[Service]\n[Install]\nWantedBy=x\n")
    (root / "boot/units/node-b.service").write_text("[Service]\n")
    (root / "boot/units/ssh.service.d/x.conf").write_text("[Unit]\n")
    (root / "boot/profile.d").mkdir()
    (root / "boot/profile.d/node.sh").write_text("# sh\n")
    return root


def test_what_is_in_it(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}

    def run(argv: list[str | Path], **_: object) -> str:
        tree = Path(argv[-2])
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                seen[str(path.relative_to(tree))] = path.read_text()
        return ""

    monkeypatch.setattr(deb, "run", run)
    first = deb.build(tmp_path / "one", epoch=1, package_root=sources)
    python = "usr/lib/python3/dist-packages"
    assert f"{python}/node/__init__.py" in seen
    assert f"{python}/node/py.typed" in seen
    assert not any("__pycache__" in name or "boot/units" in name for name in seen)
    units = "usr/lib/systemd/system"
    assert {f"{units}/node-a.service", f"{units}/node-b.service", f"{units}/ssh.service.d/x.conf"} <= set(
        seen
    )
    assert [name for name in seen if name.endswith("node.sh")] == ["etc/profile.d/node.sh"]
    assert "systemctl --no-reload enable node-a.service\n" in seen["DEBIAN/postinst"]
    assert "node-b" not in seen["DEBIAN/postinst"]
    points = next(text for name, text in seen.items() if name.endswith("entry_points.txt"))
    assert "nodectl = node.cli.main:main" in points
    assert "node-image" not in points
    control = dict(line.split(": ", 1) for line in seen["DEBIAN/control"].splitlines() if ": " in line)
    assert control["Package"] == "nodecrust"
    assert control["Version"] == first.version
    assert control["Depends"].split(", ") == list(first.depends)

    shutil.rmtree(sources / "__pycache__")
    assert deb.build(tmp_path / "two", epoch=2, package_root=sources).version == first.version
    (sources / "new.py").write_text("x = 1\n")
    assert deb.build(tmp_path / "three", epoch=1, package_root=sources).version != first.version
