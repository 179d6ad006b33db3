"""What boot loaders are told, and what the server serves of it."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path

import pytest

from image import iso, menus, pxe
from image.menus import Boot
from image.output import check_target, label_of
from image.site import Site, site
from node.errors import InputError

DIGEST = "ab12cd34" + "0" * 56
BOOT = Boot(label=label_of(DIGEST), sha256=DIGEST, size=7, append="quiet", timeout_s=2, title="node 1")

ARGUMENTS = f"node.image.sha256={DIGEST} rd.systemd.gpt_auto=0 console=tty0 console=ttyS0,115200 quiet"


def test_the_label_fits_iso_9660() -> None:
    assert re.fullmatch(r"[A-Z0-9_]{1,32}", BOOT.label)
    assert BOOT.label == "NODE_AB12CD34"


def test_the_iso_looks_for_its_own_label() -> None:
    text = iso.menu(BOOT)
    assert f"search --no-floppy --set=root --label {BOOT.label}" in text
    assert f"linux /live/vmlinuz node.image=LABEL={BOOT.label} {ARGUMENTS}\n" in text
    assert "set timeout=2" in text


def test_every_loader_gets_the_same_arguments() -> None:
    files = pxe.configuration(BOOT, base_url=None)
    for name in ("boot.ipxe", "grub/grub.cfg"):
        assert f"node.image=${{base}}root.squashfs {ARGUMENTS}" in files[name]
    assert "set base http://${next-server}/\n" in files["boot.ipxe"]
    assert 'set base="http://$net_default_server/"\n' in files["grub/grub.cfg"]
    assert files["boot.ipxe"].startswith("#!ipxe\n")
    # An initrd without its name among the arguments is not found under UEFI.
    assert "vmlinuz initrd=initrd " in files["boot.ipxe"]


def test_what_a_shell_would_take_comes_through_grub() -> None:
    boot = BOOT.with_append('node.access.admin.password_hash=$6$a$b x="a b;c"')
    quoted = "'node.access.admin.password_hash=$6$a$b' 'x=a b;c'"
    files = pxe.configuration(boot, base_url=None, answers_sha256="00")
    # What is GRUB's own to fill in stays so.
    assert f"{quoted} node.answers=${{base}}answers.yaml node.answers.sha256=00" in files["grub/grub.cfg"]
    assert quoted in iso.menu(boot)
    assert 'password_hash=$6$a$b x="a b;c"' in files["boot.ipxe"]
    with pytest.raises(InputError, match="one printable line"):
        BOOT.with_append("a\nb")


def test_bootif_is_the_mac_with_dashes() -> None:
    files = pxe.configuration(BOOT, base_url=None)
    assert "BOOTIF=01-${netX/mac:hexhyp}" in files["boot.ipxe"]
    assert 'set bootif="BOOTIF=01-$m1-$m2-$m3-$m4-$m5-$m6"' in files["grub/grub.cfg"]


def test_a_fixed_address() -> None:
    files = pxe.configuration(BOOT, base_url="http://h.invalid:81")
    for name in ("boot.ipxe", "grub/grub.cfg"):
        assert "next-server" not in files[name]
        assert "net_default_server" not in files[name]
        assert "node.image=http://h.invalid:81/root.squashfs" in files[name]


def test_dhcp_gives_the_upper_part_of_the_network() -> None:
    text = menus.render_dhcp("br0", ipaddress.IPv4Interface("192.0.2.1/24"), http_port=8080)
    assert "dhcp-range=192.0.2.155,192.0.2.254,255.255.255.0,1h" in text
    assert "dhcp-boot=tag:http,http://192.0.2.1:8080/node.iso" in text
    at_the_end = menus.render_dhcp("br0", ipaddress.IPv4Interface("192.0.2.254/24"), http_port=80)
    assert "192.0.2.253,255" in at_the_end


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    manifest = {
        "name": "node",
        "version": "1",
        "files": {"root.squashfs": {"sha256": DIGEST, "size": 7}},
        "boot": {"append": "quiet", "timeout": 2},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "pxe").mkdir()
    (tmp_path / "pxe/boot.ipxe").write_text("as built")
    (tmp_path / "pxe/vmlinuz").write_text("kernel")
    return tmp_path


def test_the_site_is_rendered_for_its_port(folder: Path) -> None:
    found = site(folder, base_url=None, http_port=8080, append="extra=1").find("/boot.ipxe")
    assert isinstance(found, bytes)
    assert b"http://${next-server}:8080/" in found
    assert b"quiet extra=1" in found


def test_answers_come_with_their_digest(folder: Path) -> None:
    answers = folder / "a.yaml"
    answers.write_text("version: 1\n")
    served = site(folder, base_url=None, http_port=80, answers=answers)
    assert served.find("answers.yaml") == b"version: 1\n"
    text = served.find("grub/grub.cfg")
    assert isinstance(text, bytes)
    assert re.search(rb"node.answers=\$\{base\}answers.yaml node.answers.sha256=[0-9a-f]{64}", text)


def test_nothing_outside_is_served(folder: Path) -> None:
    served = Site(folder / "pxe")
    assert served.find("/vmlinuz") == folder / "pxe/vmlinuz"
    (folder / "pxe/link").symlink_to(folder / "manifest.json")
    for name in ("../manifest.json", "/../manifest.json", "link", "", "/", "no/such", "pxe/../../x"):
        assert served.find(name) is None


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "", "grub"])
def test_a_name_that_no_file_can_have(folder: Path, name: str) -> None:
    assert Site(folder / "pxe").find(name) is None


def test_a_folder_without_an_image(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no image"):
        site(tmp_path, base_url=None, http_port=80)


def test_only_an_output_of_ours_is_replaced(tmp_path: Path, folder: Path) -> None:
    check_target(tmp_path / "new")
    check_target(folder)
    (tmp_path / "full").mkdir()
    check_target(tmp_path / "full")
    (tmp_path / "full/letter.txt").write_text("dear")
    with pytest.raises(InputError, match="didn't make"):
        check_target(tmp_path / "full")
