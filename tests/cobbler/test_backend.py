"""The backend against a real cobbler: a system that is made once, and started from its disk afterwards."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from node.errors import NodeError, TryAgainError
from node.model.inventory import BootImage, Inventory, Nic
from node.model.registration import Around, Standing
from node.model.state import State
from node.plugins.cobbler.backend import CobblerBackend
from node.system.files import LiveFiles
from node.testing.fake_system import FakeSystem
from tests.cobbler.site import PASSWORD, USER, Cobbler


def mac() -> str:
    tail = uuid4().hex
    return f"52:54:00:{tail[:2]}:{tail[2:4]}:{tail[4:6]}"


@pytest.fixture
def around(tmp_path: Path) -> Around:
    """A node that was installed and runs from its disk."""
    nics = (
        Nic("eno1", mac(), addresses=(f"10.{uuid4().bytes[0]}.{uuid4().bytes[0]}.7/24", "fe80::1/64")),
        Nic("eno2", mac(), link=False),
    )
    inventory = Inventory(hostname=f"node-{uuid4().hex[:8]}.example.org", nics=nics, image=BootImage("slot"))
    state = State(install={"id": str(uuid4())})
    return Around(state, inventory, tmp_path / "cobbler", FakeSystem().commands, LiveFiles(), dict)


def name_of(around: Around) -> str:
    return around.inventory.hostname.partition(".")[0]


def full(cobbler: Cobbler, profile: str) -> CobblerBackend:
    return CobblerBackend(cobbler.plain, register_system=True, profile=profile, user=USER, password=PASSWORD)


def test_a_system_is_made_with_its_cards_and_only_once(
    cobbler: Cobbler, profile: str, around: Around
) -> None:
    backend = full(cobbler, profile)
    report = backend.visit(around)
    name = name_of(around)
    assert report.standing is Standing.DONE
    assert report.used == ("cobbler.password",)
    made = cobbler.api.get_system(name)
    assert made["profile"] == profile
    assert made["netboot_enabled"] is False
    cards = {
        key: (one["mac_address"], one["ip_address"], one["netmask"])
        for key, one in made["interfaces"].items()
    }
    first, second = around.inventory.nics
    assert cards == {
        "eno1": (first.mac, first.addresses[0].partition("/")[0], "255.255.255.0"),
        "eno2": (second.mac, "", ""),
    }
    # Again, with nothing remembered, and by another name: its cards tell that it is there.
    anew = replace(around, folder=around.folder / "anew")
    again = replace(backend, system="another").visit(anew)
    assert name in again.words
    assert cobbler.api.find_system({"mac_address": first.mac}) == [name]
    assert cobbler.api.get_system(name)["interfaces"].keys() == made["interfaces"].keys()


def test_an_address_that_another_system_has_is_left_out(
    cobbler: Cobbler, profile: str, around: Around
) -> None:
    full(cobbler, profile).visit(around)
    first = around.inventory.nics[0]
    lease = Inventory(
        hostname=f"node-{uuid4().hex[:8]}", nics=(replace(first, mac=mac()),), image=BootImage("slot")
    )
    later = replace(around, inventory=lease, folder=around.folder / "later")
    full(cobbler, profile).visit(later)
    card = cobbler.api.get_system(name_of(later))["interfaces"]["eno1"]
    assert (card["mac_address"], card["ip_address"]) == (lease.nics[0].mac, "")


def test_a_card_that_came_is_added_to_the_system_that_is_there(
    cobbler: Cobbler, profile: str, around: Around
) -> None:
    name = f"rack-{uuid4().hex[:6]}"
    # As an operator typed it: in capitals.
    cobbler.system(name, profile, eth0=around.inventory.nics[0].mac.upper())
    report = full(cobbler, profile).visit(around)
    assert f"system {name} is in cobbler" in report.words
    macs = {one["mac_address"].lower() for one in cobbler.api.get_system(name)["interfaces"].values()}
    assert macs == {nic.mac for nic in around.inventory.nics}


def test_network_boot_is_switched_off_without_a_password(
    cobbler: Cobbler, profile: str, around: Around
) -> None:
    name = f"rack-{uuid4().hex[:6]}"
    cobbler.system(name, profile, eth0=around.inventory.nics[0].mac)
    assert cobbler.api.get_system(name)["netboot_enabled"] is True
    report = CobblerBackend(cobbler.plain).visit(around)
    assert report.words == f"cobbler starts {name} from its disk"
    assert cobbler.api.get_system(name)["netboot_enabled"] is False
    # Once an installation: somebody who wants it installed again is not worked against.
    token = cobbler.api.login(USER, PASSWORD)
    handle = cobbler.api.get_system_handle(name, token)
    cobbler.api.modify_system(handle, "netboot_enabled", True, token)
    cobbler.api.save_system(handle, token)
    CobblerBackend(cobbler.plain).visit(around)
    assert cobbler.api.get_system(name)["netboot_enabled"] is True
    after = replace(around, state=State(install={"id": str(uuid4())}))
    CobblerBackend(cobbler.plain).visit(after)
    assert cobbler.api.get_system(name)["netboot_enabled"] is False


def test_the_body_of_the_answer_is_what_counts(cobbler: Cobbler, around: Around) -> None:
    with pytest.raises(NodeError, match="it says 'False'") as refused:
        CobblerBackend(cobbler.plain, system="nobody-knows-it").visit(around)
    assert "pxe_just_once" in refused.value.mend
    assert not isinstance(refused.value, TryAgainError)


def test_a_node_that_runs_from_the_network_goes_on_doing_so(
    cobbler: Cobbler, profile: str, around: Around
) -> None:
    name = f"rack-{uuid4().hex[:6]}"
    cobbler.system(name, profile, eth0=around.inventory.nics[0].mac)
    booted = replace(around.inventory, image=BootImage("url"))
    report = CobblerBackend(cobbler.plain).visit(replace(around, inventory=booted))
    assert "runs from the network" in report.words
    assert cobbler.api.get_system(name)["netboot_enabled"] is True


def test_a_wrong_password_is_a_refusal_that_does_not_repeat_it(
    cobbler: Cobbler, profile: str, around: Around
) -> None:
    backend = replace(full(cobbler, profile), password="not-the-password")
    with pytest.raises(NodeError, match="refuses login") as refused:
        backend.visit(around)
    assert "not-the-password" not in str(vars(refused.value))
    assert cobbler.api.find_system({"name": name_of(around)}) == []


def test_over_tls_only_the_pinned_certificate_is_believed(
    cobbler: Cobbler, profile: str, around: Around, certificate: Path
) -> None:
    pem = "-----BEGIN CERT" + certificate.read_text().partition("-----BEGIN CERT")[2]
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    backend = replace(full(cobbler, profile), server=cobbler.secure, fingerprint=pin)
    assert backend.visit(around).standing is Standing.DONE
    with pytest.raises(NodeError, match="no certificate with the fingerprint"):
        replace(backend, fingerprint="ab" * 32).visit(around)


def test_a_cobbler_that_is_away_is_waited_for(around: Around) -> None:
    with pytest.raises(TryAgainError, match="can't be reached"):
        CobblerBackend("http://127.0.0.1:9").visit(around)
