"""The development server, with real clients: curl for HTTP and TFTP."""

from __future__ import annotations

import hashlib
import ipaddress
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from image.menus import render_dhcp
from tests.image.conftest import node_image, node_image_argv


@dataclass(frozen=True)
class Served:
    """A server's addresses."""

    http: str
    tftp: str


@pytest.fixture
def served(aos: Path, tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "answers.yaml").write_text("version: 1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = node_image_argv(
        "serve", aos, "--listen", "127.0.0.1", "--http-port", "0", "--tftp-port", str(port)
    )
    argv += ["--answers", str(tmp_path / "answers.yaml")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        word, address = server.stdout.readline().split()
        assert word == "ready"
        yield Served(address, f"tftp://127.0.0.1:{port}/")
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)
        assert server.returncode == 0


def curl(*words: str) -> bytes:
    return subprocess.run(
        ["curl", "-sS", "--max-time", "120", *words], capture_output=True, check=True
    ).stdout


def test_http(served: Served, aos: Path) -> None:
    root = (aos / "root.squashfs").read_bytes()
    assert hashlib.sha256(curl(served.http + "root.squashfs")).digest() == hashlib.sha256(root).digest()
    assert curl("-r", "1000-1999", served.http + "root.squashfs") == root[1000:2000]
    assert curl("-r", f"{len(root) - 5}-", served.http + "root.squashfs") == root[-5:]
    head = curl("-I", served.http + "node.iso").decode().lower()
    assert f"content-length: {(aos / 'node.iso').stat().st_size}" in head
    assert "accept-ranges: bytes" in head
    assert b"node.answers.sha256=" in curl(served.http + "boot.ipxe")
    assert curl(served.http + "answers.yaml") == b"version: 1\n"
    assert curl("--path-as-is", served.http + "../manifest.json") == b"not found\n"


@pytest.mark.parametrize("options", [[], ["--tftp-blksize", "1428"], ["--tftp-no-options"]])
def test_tftp(served: Served, aos: Path, options: list[str]) -> None:
    assert curl(*options, served.tftp + "vmlinuz") == (aos / "vmlinuz").read_bytes()
    assert b"node.image=" in curl(*options, served.tftp + "grub/grub.cfg")


def test_tftp_refuses(served: Served) -> None:
    for words in (["-T", "/etc/hostname", served.tftp + "x"], [served.tftp + "nothing"]):
        assert (
            subprocess.run(
                ["curl", "-sS", "--max-time", "20", *words], capture_output=True, check=False
            ).returncode
            != 0
        )


def test_dnsmasq_takes_our_configuration(tmp_path: Path) -> None:
    network = ipaddress.IPv4Interface("192.0.2.1/24")
    (tmp_path / "dhcp.conf").write_text(render_dhcp("lo", network, http_port=8080))
    argv = ["dnsmasq", "--test", f"--conf-file={tmp_path / 'dhcp.conf'}"]
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_an_unattended_medium(aos: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\n")
    outcome = node_image(
        "iso", aos, "--output", tmp_path / "x.iso", "--append", "node.x=1", "--answers", tmp_path / "a.yaml"
    )
    assert outcome.status == 0, outcome.stderr
    subprocess.run(
        [
            *("xorriso", "-osirrox", "on", "-indev", tmp_path / "x.iso"),
            *("-extract", "/boot/grub/grub.cfg", tmp_path / "cfg"),
            *("-extract", "/answers.yaml", tmp_path / "got"),
        ],
        capture_output=True,
        check=True,
    )
    assert "node.x=1 node.answers=medium:/answers.yaml" in (tmp_path / "cfg").read_text()
    assert (tmp_path / "got").read_text() == "version: 1\n"
    report = subprocess.run(
        [
            "xorriso",
            "-indev",
            tmp_path / "x.iso",
            "-report_el_torito",
            "plain",
            "-report_system_area",
            "plain",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "BIOS" in report
    assert "UEFI" in report
    assert "grub2-mbr" in report
    assert "GPT" in report


def test_serving_what_is_no_image(tmp_path: Path) -> None:
    outcome = node_image("serve", tmp_path, "--http-port", "0")
    assert outcome.status == 2
    assert "holds no image" in outcome.stderr
