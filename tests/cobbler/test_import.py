"""`node-image cobbler import` against a real cobbler, and what cobbler then tells a machine that boots."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest

from image.cli import cli
from node.errors import InputError, NodeError
from tests.cobbler.site import PASSWORD, USER, Cobbler

SHA256 = "ab" * 32


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """An output folder, as far as cobbler cares."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("vmlinuz", "initrd"):
        (folder / name).write_text(name)
    root = {"sha256": SHA256, "size": 4096}
    manifest = {"name": "node", "version": "1.0", "boot": {"append": "quiet", "timeout": 2}, "files": {}}
    manifest["files"] = {"root.squashfs": root}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def run(cobbler: Cobbler, folder: Path, name: str, *more: str) -> None:
    password = folder.parent / "password"
    password.write_text(PASSWORD + "\n")
    cli.main(
        ["cobbler", "import", str(folder), "--server", cobbler.plain, "--plain-http", "--user", USER,
         "--password-file", str(password), "--name", name, "--base-url", "http://192.0.2.1:8080", *more],
        standalone_mode=False,
    )  # fmt: skip


def test_distro_and_profile_are_made_and_then_left_alone(
    cobbler: Cobbler, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"node-{uuid4().hex[:6]}"
    run(cobbler, built, name)
    assert f"distro {name} is up to date now" in capsys.readouterr().out
    distro = cobbler.api.get_distro(name)
    assert distro["kernel"] == str(built / "vmlinuz")
    assert distro["kernel_options"]["node.image"] == "http://192.0.2.1:8080/root.squashfs"
    assert distro["kernel_options"]["node.image.sha256"] == SHA256
    assert distro["kernel_options"]["console"] == ["tty0", "ttyS0,115200"]
    assert cobbler.api.get_profile(name)["distro"] == name
    run(cobbler, built, name)
    assert "had all of it already" in capsys.readouterr().out
    run(cobbler, built, name, "--append", "node.network.dns=192.0.2.53")
    assert f"distro {name} is up to date now" in capsys.readouterr().out
    assert cobbler.api.get_distro(name)["kernel_options"]["node.network.dns"] == "192.0.2.53"


def test_a_machine_is_told_to_boot_the_image_with_answers_that_cobbler_renders(
    cobbler: Cobbler, built: Path, tmp_path: Path
) -> None:
    name = f"node-{uuid4().hex[:6]}"
    template = tmp_path / "node.ks"
    template.write_text("lang en_US.UTF-8\nnetwork --hostname=$system_name\n")
    run(cobbler, built, name, "--kickstart", str(template))
    system = f"{name}-7"
    cobbler.system(system, name, eth0="52:54:00:12:34:56")
    config = (cobbler.folder / "tftp/pxelinux.cfg/01-52-54-00-12-34-56").read_text()
    append = next(line for line in config.lower().splitlines() if "append" in line).split()
    address = f"{cobbler.plain}/cblr/svc/op/autoinstall/system/{system}"
    assert f"node.answers={address}" in append
    assert "node.answers.trust=network" in append
    assert "node.image=http://192.0.2.1:8080/root.squashfs" in append
    assert not [word for word in append if word.startswith(("inst.", "ks=", "url="))]
    with urllib.request.urlopen(address) as answer:
        assert f"network --hostname={system}" in answer.read().decode()


def test_the_password_never_comes_from_the_command_line(
    cobbler: Cobbler, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COBBLER_PASSWORD", raising=False)
    options = ["cobbler", "import", str(built), "--user", USER, "--base-url", "http://192.0.2.1"]
    with pytest.raises(InputError, match="plain http"):
        cli.main([*options, "--server", cobbler.plain], standalone_mode=False)
    plain = [*options, "--server", cobbler.plain, "--plain-http"]
    with pytest.raises(InputError, match="no password"):
        cli.main(plain, standalone_mode=False)
    monkeypatch.setenv("COBBLER_PASSWORD", "wrong")
    with pytest.raises(NodeError, match="refuses login"):
        cli.main(plain, standalone_mode=False)
    with pytest.raises(InputError, match="--fingerprint"):
        cli.main([*options, "--server", cobbler.secure], standalone_mode=False)
