"""Plugins in real images: added to one that is built, built in, and in a signed bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.image.conftest import KICKSTARTS, node_image
from tests.wheels import PLUGIN, Deb, Wheel, python_files

InRoot = Callable[[Path, str], str]

LAMP = Wheel(requires=("pyyaml>=6",))
FOLDER = "usr/lib/nodecrust/plugins"


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def listing(folder: Path) -> dict[str, str]:
    """What a root holds: kind, mode, owner, size (of files) and time by path."""
    argv = ["unsquashfs", "-lln", "-UTC", folder / "root.squashfs"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    lines = [line.split(maxsplit=5) for line in said.splitlines() if "squashfs-root/" in line]
    for line in lines:
        if line[0].startswith("d"):
            line[2] = "-"
    return {line[5].removeprefix("squashfs-root/"): " ".join(line[:5]) for line in lines}


def plugins_of(in_root: InRoot, folder: Path, *, before: str = "") -> dict[str, Any]:
    """What the image's own nodectl says of its plugins."""
    return json.loads(in_root(folder, f"{before}\nchroot $root nodectl plugins --json || true"))


@pytest.fixture(scope="module")
def added(aos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small image with a plugin that was added after it was built."""
    folder = tmp_path_factory.mktemp("added")
    outcome = node_image("add-plugin", aos, LAMP.write(folder), "--output", folder / "out")
    assert outcome.status == 0, outcome.stderr
    return folder / "out"


def test_an_image_with_a_plugin_added_is_whole(aos: Path, added: Path) -> None:
    assert (
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=added, check=False).returncode == 0
    )
    old, new = manifest_of(aos), manifest_of(added)
    assert set(new["files"]) == set(old["files"])
    assert new["base"] == {"version": old["version"], "sha256": old["files"]["root.squashfs"]["sha256"]}
    assert new["version"].startswith(f"{old['version']}.p")
    [record] = new["plugins"]
    assert (record["file"], record["distributions"][0]["version"]) == (LAMP.file_name, "1.2")
    assert record["files"][f"{FOLDER}/vendor_lamp/__init__.py"] == hashlib.sha256(PLUGIN.encode()).hexdigest()
    for name in ("vmlinuz", "initrd"):
        assert (added / name).read_bytes() == (aos / name).read_bytes()
    digest = new["files"]["root.squashfs"]["sha256"]
    for name in ("boot.ipxe", "grub/grub.cfg", "pxelinux.cfg/default"):
        text = (added / "pxe" / name).read_text()
        assert "node.image.sha256=" not in text or f"node.image.sha256={digest}" in text
    assert digest in (added / "pxe/boot.ipxe").read_text()
    for name in ("vmlinuz", "initrd", "root.squashfs", "node.iso"):
        assert (added / name).stat().st_ino == (added / "pxe" / name).stat().st_ino


def test_the_medium_is_that_of_the_new_root(added: Path, tmp_path: Path) -> None:
    manifest = manifest_of(added)
    label = subprocess.run(
        ["blkid", "-o", "value", "-s", "LABEL", added / "node.iso"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert label.stdout.strip() == manifest["boot"]["label"]
    argv: list[str | Path] = ["xorriso", "-osirrox", "on", "-indev", added / "node.iso"]
    argv += [
        "-extract",
        "/live/root.squashfs",
        tmp_path / "root",
        "-extract",
        "/boot/grub/grub.cfg",
        tmp_path / "menu",
    ]
    subprocess.run(argv, capture_output=True, check=True)
    digest = hashlib.sha256((tmp_path / "root").read_bytes()).hexdigest()
    assert digest == manifest["files"]["root.squashfs"]["sha256"]
    assert f"node.image=LABEL={manifest['boot']['label']}" in (tmp_path / "menu").read_text()
    # Both ways to start from it, and the partition that a stick boots from.
    argv = ["xorriso", "-indev", added / "node.iso", "-report_el_torito", "plain"]
    argv += ["-report_system_area", "plain"]
    report = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "BIOS" in report
    assert "UEFI" in report
    assert "GPT" in report


def test_only_the_plugin_is_new(aos: Path, added: Path) -> None:
    old, new = listing(aos), listing(added)
    changed = {path for path in new if old.get(path) != new[path]}
    assert set(old) <= set(new)
    own = {path for path in changed if path == FOLDER or path.startswith(f"{FOLDER}/")}
    # The folder above has another link count and no other time; the rest says what the image is.
    assert changed - own == {
        "usr/lib/nodecrust/plugins.json",
        "usr/lib/nodecrust/image.json",
        "usr/lib/os-release",
    } | (changed & {"usr/lib/nodecrust", "usr/lib"})
    assert f"{FOLDER}/vendor_lamp/__pycache__/__init__.cpython-313.pyc" in own
    assert all(" 0/0 " in f" {new[path]} " for path in own)


def test_the_image_s_nodectl_knows_it(added: Path, in_root: InRoot) -> None:
    told = plugins_of(in_root, added)
    assert [one["name"] for one in told["plugins"]][-1] == "lamp"
    assert told["problems"] == []
    identity = json.loads(in_root(added, "cat $root/usr/lib/nodecrust/image.json"))
    assert identity["version"] == manifest_of(added)["version"]


def test_the_same_again_gives_the_same_bytes(added: Path, tmp_path: Path) -> None:
    """Onto the image that has it already, in place: what was added is replaced by itself."""
    copy = tmp_path / "copy"
    shutil.copytree(added, copy)
    outcome = node_image("add-plugin", copy, LAMP.write(tmp_path))
    assert outcome.status == 0, outcome.stderr
    # The digests of all files are in it.
    assert manifest_of(copy) == manifest_of(added)


@pytest.mark.parametrize(
    ("wheel", "words"),
    [
        (
            Wheel(files={"vendor_lamp/__init__.py": "import nothing_like_it\n"}),
            ["vendor-lamp 1.2 (vendor_lamp-1.2-py3-none-any.whl) can't be imported", "'nothing_like_it'"],
        ),
        (
            Wheel(requires=("pynetbox>=7", "click>=99")),
            ["needs pynetbox>=7, which the image lacks", "python3-pynetbox", "needs click>=99, and the"],
        ),
        (
            Wheel(files={"vendor_lamp/__init__.py": "import os\nos._exit(3)\n"}),
            ["vendor-lamp 1.2", "status 3"],
        ),
    ],
)
def test_a_bad_one_changes_nothing(aos: Path, tmp_path: Path, wheel: Wheel, words: list[str]) -> None:
    copy = tmp_path / "image"
    shutil.copytree(aos, copy, copy_function=lambda a, b: Path(b).hardlink_to(a))
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    outcome = node_image("add-plugin", copy, wheel.write(tmp_path))
    assert outcome.status == 2
    for word in words:
        assert word in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image", wheel.file_name]


def test_an_image_that_was_changed_by_hand(aos: Path, tmp_path: Path) -> None:
    copy = tmp_path / "image"
    shutil.copytree(aos, copy, copy_function=lambda a, b: Path(b).hardlink_to(a))
    (copy / "initrd").unlink()
    (copy / "initrd").write_bytes(b"other")
    outcome = node_image("add-plugin", copy, LAMP.write(tmp_path))
    assert outcome.status == 2
    assert "initrd is not the one that the manifest names" in outcome.stderr


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vendor's folder: a key pair made by openssl."""
    folder = tmp_path_factory.mktemp("vendor")
    key, public = folder / "plugin.key", folder / "plugin.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    return folder


@pytest.fixture(scope="module")
def built_in(aos: Path, vendor: Path) -> Path:
    """The small image built with a wheel, a Debian package and a key of bundles."""
    fan = replace(LAMP, name="vendor-fan", points={"fan": "vendor_fan"}, files={"vendor_fan.py": PLUGIN})
    tool = "usr/libexec/nodecrust-fan/tool"
    deb = Deb(
        package="nodecrust-fan",
        depends="python3-yaml (>= 6)",
        files={**python_files(fan), tool: "#!/bin/sh\necho turns\n"},
        modes={tool: 0o755},
    )
    argv = [
        "--plugin",
        LAMP.write(vendor),
        "--plugin",
        deb.write(vendor),
        "--plugin-key",
        vendor / "plugin.pub",
    ]
    outcome = node_image("build", KICKSTARTS / "aos.ks", "--output", vendor / "out", *argv)
    assert outcome.status == 0, outcome.stderr
    return vendor / "out"


def test_built_in(built_in: Path, aos: Path, in_root: InRoot) -> None:
    told = plugins_of(in_root, built_in)
    assert {"fan", "lamp"} <= {one["name"] for one in told["plugins"]}
    assert told["problems"] == []
    assert in_root(built_in, "chroot $root /usr/libexec/nodecrust-fan/tool") == "turns\n"
    manifest = manifest_of(built_in)
    assert [record["file"] for record in manifest["plugins"]] == [
        "nodecrust-fan_1.2-1_all.deb",
        "vendor_lamp-1.2-py3-none-any.whl",
    ]
    assert len(manifest["plugin_keys"]) == 1
    assert manifest["version"] != manifest_of(aos)["version"]


def test_a_bundle_and_the_image_that_has_its_key(vendor: Path, built_in: Path, in_root: InRoot) -> None:
    disc = replace(LAMP, name="vendor-disc", points={"disc": "vendor_disc"}, files={"vendor_disc.py": PLUGIN})
    bundle = vendor / "disc.plugins"
    made = node_image(
        "bundle-plugins", "--key", vendor / "plugin.key", "--output", bundle, disc.write(vendor)
    )
    assert made.status == 0, made.stderr
    by_hand = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", vendor / "plugin.pub", "-rawin"]
    by_hand += ["-in", bundle, "-sigfile", f"{bundle}.sig"]
    assert subprocess.run(by_hand, capture_output=True, check=False).returncode == 0
    script = f"""
        mkdir -p $root/run/node/plugin-bundle
        cd $root/run/node/plugin-bundle
        echo http://h/disc.plugins >asked
        cp {bundle} bundle
        cp {bundle}.sig bundle.sig
        %s
        chroot $root python3 -c '
from node.boot.places import Places
from node.boot.plugin_bundle import accept_bundle
accept_bundle(Places())'
    """
    assert "disc" in {one["name"] for one in plugins_of(in_root, built_in, before=script % "")["plugins"]}
    told = plugins_of(in_root, built_in, before=script % "printf x >>bundle")
    assert "disc" not in {one["name"] for one in told["plugins"]}
    [problem] = told["problems"]
    assert "http://h/disc.plugins has a wrong signature" in problem["what"]
    assert problem["severity"] == "error"


def test_a_package_that_dpkg_installed(aos: Path, tmp_path: Path, in_root: InRoot) -> None:
    """As `%packages` does: nothing of ours puts it there."""
    deb = Deb(depends="python3-yaml (>= 6)").write(tmp_path)
    install = f"cp {deb} $root/run/x.deb; chroot $root dpkg -i /run/x.deb >&2"
    told = plugins_of(in_root, aos, before=install)
    assert "lamp" in {one["name"] for one in told["plugins"]}
    assert told["problems"] == []
