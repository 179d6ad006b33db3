"""The session by itself: what is typed, where it stands, what it waits for."""

from __future__ import annotations

import re

import pytest

from node import locale
from node.installer.document import read_document
from node.installer.flow import load_plugins, look
from node.installer.tui.saved import saved_answers
from node.installer.tui.session import Session, Verdict
from node.model.install import InstallAnswers, Mode
from node.model.origin import Precedence
from node.model.problem import errors
from node.testing.machines import machine, machine_names

pytestmark = pytest.mark.effects("processes")  # netplan is asked in a process


def session(name: str, text: str = "") -> Session:
    layers, problems = [], ()
    if text:
        layer, problems = read_document(text.encode(), name="answers.yaml")
        layers = [layer]
    return Session(load_plugins(), machine(name), layers, problems)


def looked(one: Session) -> Session:
    one.take(one.looker()())
    return one


def test_every_section_has_a_page():
    pages = session("vm-virtio-blank").pages
    asked = {field.key.partition(".")[0] for page in pages for field in page.fields}
    assert asked >= set(load_plugins().models())
    assert [page.order for page in pages] == sorted(page.order for page in pages)


def test_an_empty_disk_waits_for_nothing():
    assert looked(session("vm-virtio-blank")).verdict is Verdict.READY


@pytest.mark.parametrize("name", machine_names())
def test_every_machine_gets_a_verdict(name: str):
    assert looked(session(name)).verdict is not Verdict.LOOKING


def test_what_a_file_says_stands_in_the_fields_and_the_screen_overrules_it():
    one = session("vm-virtio-blank", "version: 1\nnetwork: {hostname: node7}\n")
    assert one.value("network.hostname") == "node7"
    one.set("network.hostname", "node8")
    assert looked(one).view.seen.answers.sections["network"].hostname == "node8"
    assert one.view.seen.answers.origin("network.hostname").precedence is Precedence.SCREEN


def test_a_locked_value_stays():
    text = "version: 1\ninstall: {locked: [network]}\nnetwork: {hostname: node7}\n"
    one = session("vm-virtio-blank", text)
    one.set("network.hostname", "node8")
    assert one.value("network.hostname") == "node7"
    assert str(one.locked("network.hostname")) == "answers.yaml, line 3"
    assert one.locked("access.admin.name") is None


def test_a_problem_stands_at_its_field_and_keeps_the_rest():
    one = session("vm-virtio-blank")
    one.set("network.hostname", "not a name")
    one.set("access.admin.name", "boss")
    looked(one)
    assert one.verdict is Verdict.REFUSED
    assert [p.code for p in one.problems_at("network.hostname")] == ["host-name-invalid"]
    assert one.page_of(one.problems_at("network.hostname")[0]).key == "network"
    assert one.view.best.answers.sections["access"].admin.name == "boss"


def test_a_disk_that_holds_something_waits_for_consent():
    one = looked(session("server-foreign-lvm"))
    assert one.verdict is Verdict.CONSENT
    assert {p.code for p in one.held()} == {"disk-not-empty", "disk-foreign"}
    assert not errors(one.problems())
    one.agree(one.disk)
    assert one.stale
    assert looked(one).verdict is Verdict.READY


def test_another_disk_takes_the_consent_back():
    one = looked(session("server-vmfs-lun"))
    one.set("storage.disk", {"serial": "600a098038314b6f3b5d4f4a4b6e7a31"})
    looked(one)
    one.agree(one.disk)
    one.set("storage.disk", {"serial": "S3Z8NB0K500077"})
    assert one.consent == ""


def test_an_older_look_is_dropped():
    one = session("vm-virtio-blank")
    old = one.looker()()
    one.set("network.hostname", "node8")
    new = one.looker()()
    one.take(new)
    one.take(old)
    assert one.view is new


@pytest.mark.parametrize("name", ["vm-virtio-blank", "server-4tb-disks", "server-nvme-pair", "vm-two-equal"])
def test_saved_answers_install_the_next_machine_unattended(name: str):
    one = looked(session(name))
    disk = one.inventory.disks[-1]
    one.set("storage.disk", {"serial": disk.serial})
    one.set(
        "access.admin.password_hash",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
    )
    one.set("network.hostname", "node1")
    text = saved_answers(looked(one))
    assert f"serial: {disk.serial}" not in text
    layer, problems = read_document(text.encode(), name="saved.yaml")
    seen = look(load_plugins(), [layer], machine(name), problems=problems)
    assert not seen.plan.refused, seen.plan.problems
    assert seen.plan.layout.disk.node == disk.node
    assert seen.answers[InstallAnswers].mode is Mode.UNATTENDED


def test_saved_answers_hold_no_consent_but_as_a_comment():
    one = looked(session("server-foreign-lvm"))
    one.agree(one.disk)
    lines = saved_answers(looked(one)).splitlines()
    assert not [line for line in lines if "WD-WCC4N1234567" in line and not line.startswith("#")]


def test_saved_answers_say_what_is_this_nodes_alone_and_what_is_not_whole():
    one = session("vm-virtio-blank")
    assert "alone" not in saved_answers(looked(one))
    one.set("network.hostname", "node7")
    one.set("network.netplan", {"ethernets": {"ens3": {"addresses": ["192.0.2.10/24"]}}})
    one.set("storage.sizes.SWAP", "1MiB")
    text = saved_answers(looked(one))
    assert "# For this node alone: network.hostname and the addresses in" in text
    assert "# NOT WHOLE: storage.sizes.SWAP" in text


def test_the_comments_of_saved_answers_are_in_the_language_of_the_screens():
    one = session("vm-virtio-blank")
    one.set("network.hostname", "node7")
    one.set("storage.sizes.SWAP", "1MiB")
    locale.use("cs")
    lines = [line for line in saved_answers(looked(one)).splitlines() if line.startswith("#")]
    comments = " ".join("\n".join(lines).replace("\n#", "").split())
    assert "Odpovědi pro Nodecrust" in comments
    assert "Jen pro tento uzel: network.hostname." in comments
    assert "NEÚPLNÉ: storage.sizes.SWAP: není známý klíč" in comments
    assert not re.search(r"\b(the|of|with|needs|Saved)\b", comments)


def test_the_comments_of_saved_answers_are_whole_on_a_screen_of_80_columns():
    one = looked(session("server-foreign-lvm"))
    assert max(map(len, saved_answers(one).splitlines())) <= 70
