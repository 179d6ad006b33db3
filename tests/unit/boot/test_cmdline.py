"""What the initrd makes of the kernel command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.boot.initrd_shell import InitrdShell

pytestmark = pytest.mark.effects("processes")

SHA = "a" * 64


@pytest.fixture
def shell(tmp_path: Path) -> InitrdShell:
    return InitrdShell(tmp_path / "machine")


@pytest.mark.parametrize(
    ("cmdline", "kind"),
    [
        (f"node.image=http://10.0.0.1:8080/root.squashfs node.image.sha256={SHA}", "url"),
        ("quiet node.image=https://boot.example.org/root.squashfs", "url"),
        (f"node.image=tftp://10.0.0.1/root.squashfs node.image.sha256={SHA.upper()}", "url"),
        ("node.image=http://10.0.0.1/r node.image.trust=network", "url"),
        ("node.image=LABEL=NODE_0123abcd", "medium"),
        ('node.image="LABEL=NODE 1" splash', "medium"),
        ("node.image=PARTUUID=8aed2ffb-c27f-4f65-8f8e-99b4db3e9511 node.image.size=1000", "slot"),
        (f"node.image=http://h/r node.image=http://h/r node.image.sha256={SHA}", "url"),
    ],
)
def test_a_request_that_makes_sense(shell: InitrdShell, cmdline: str, kind: str) -> None:
    request = shell.request(cmdline)
    assert request["IMAGE_KIND"] == kind
    assert request["REQUEST_PROBLEMS"] == ""


@pytest.mark.parametrize(
    ("cmdline", "words"),
    [
        ("quiet splash", "node.image= is missing"),
        ("node.image=", "node.image= is missing"),
        ("node.image=nfs://h/r", "is of no known form"),
        ("node.image=LABEL=", "is of no known form"),
        ("node.image=http://h/r", "node.image.sha256= is missing"),
        ("node.image=tftp://h/r", "node.image.sha256= is missing"),
        ("node.image=http://h/r node.image.trust=yes", "only 'network' is"),
        (f"node.image=http://h/r node.image.sha256={SHA[:-1]}", "64 hexadecimal digits"),
        ("node.image=LABEL=X node.image.size=12M", "not a number of bytes"),
        ("node.image=PARTUUID=1-2", "node.image.size= is missing"),
        ("node.image=LABEL=X node.image=LABEL=Y", "is there twice, as 'LABEL=X' and as 'LABEL=Y'"),
        ("node.image=LABEL=X node.image.sha=1", "'node.image.sha=1' is not known"),
    ],
)
def test_one_that_does_not(shell: InitrdShell, cmdline: str, words: str) -> None:
    assert words in shell.request(cmdline)["REQUEST_PROBLEMS"]


def test_every_problem_is_told_at_once(shell: InitrdShell) -> None:
    problems = shell.request("node.image=PARTUUID=1 node.image.sha256=x node.image.foo=1")["REQUEST_PROBLEMS"]
    for words in ("64 hexadecimal digits", "node.image.size= is missing", "'node.image.foo=1' is not known"):
        assert words in problems


@pytest.mark.parametrize("given", ["0", "601", "ten", "1000", "08", ""])
def test_a_wait_that_is_none_stops_nobody(shell: InitrdShell, given: str) -> None:
    request = shell.request(f"node.image=LABEL=NODE node.config.wait={given}")
    assert request["REQUEST_PROBLEMS"] == ""
    assert ("not a number of seconds" in request["REQUEST_WARNINGS"]) == bool(given)


def test_a_password_in_a_url_is_never_shown(shell: InitrdShell) -> None:
    request = shell.request("node.image=ftp://me:s3cret@h/r node.image=http://me:s3cret@h/r")
    assert "h/r" in request["REQUEST_PROBLEMS"]
    assert "s3cret" not in request["REQUEST_PROBLEMS"]


def test_trusting_the_network_is_warned_of(shell: InitrdShell) -> None:
    request = shell.request("node.image=http://h/r node.image.trust=network")
    assert "whoever owns the network owns this node" in request["REQUEST_WARNINGS"]


@pytest.mark.parametrize("given", ["01-52-54-00-AB-cd-ef", "52:54:00:ab:cd:ef"])
def test_the_card_that_the_machine_booted_from(shell: InitrdShell, given: str) -> None:
    assert shell.request(f"node.image=LABEL=X BOOTIF={given}")["BOOT_MAC"] == "52:54:00:ab:cd:ef"


def test_an_unknown_bootif_is_a_warning(shell: InitrdShell) -> None:
    request = shell.request("node.image=LABEL=X BOOTIF=link")
    assert (request["BOOT_MAC"], request["REQUEST_PROBLEMS"]) == ("", "")
    assert "BOOTIF=link" in request["REQUEST_WARNINGS"]


@pytest.mark.parametrize("argument", ["ip=dhcp", "bond=bond0:eth0,eth1", "vlan=v5:eth0"])
def test_a_network_of_ones_own(shell: InitrdShell, argument: str) -> None:
    assert shell.request(f"node.image=LABEL=X {argument}")["NETWORK_ARGUMENTS"] == "yes"


def test_dhcp_is_asked_for_by_mac_on_the_boot_card_only(shell: InitrdShell) -> None:
    shell.run("write_dhcp_network 80-x.network 52:54:00:00:00:01; write_dhcp_network 81-all.network")
    one = (shell.folder / "networks/80-x.network").read_text()
    assert "MACAddress=52:54:00:00:00:01" in one
    assert "ClientIdentifier=mac" in one
    assert "MACAddress" not in (shell.folder / "networks/81-all.network").read_text()


def test_words_reach_every_console_and_a_dead_one_holds_nobody_up(shell: InitrdShell) -> None:
    (shell.folder / "dev/ttyS0").unlink()
    os.mkfifo(shell.folder / "dev/ttyS0")  # nobody reads it: opening it blocks, like a line without a carrier
    said = shell.run('say first words; SECONDS=0; say second words; printf "%s\\n" "$SECONDS"')
    assert shell.console("tty0") == "nodecrust: first words\nnodecrust: second words\n"
    assert int(said.stdout.splitlines()[-1]) == 0
