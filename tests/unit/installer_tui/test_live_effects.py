from __future__ import annotations

from pathlib import Path

import pytest

from node.errors import NodeError
from node.installer.flow import load_plugins, look
from node.installer.tui import live_effects
from node.model.answers import Layer
from node.model.origin import Precedence
from node.model.system import Completed
from node.testing.fake_system import FakeSystem
from node.testing.machines import machine
from tests.unit.installer_tui.test_goldens import BOND

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me"


def test_keys_are_taken_line_by_line():
    assert live_effects.keys_in(f"# mine\n\n{KEY}\n") == [KEY]


@pytest.mark.parametrize(("text", "words"), [("", "no key"), (f"{KEY}\n<html>", "line 2 is no public key")])
def test_what_is_no_key_is_refused(text: str, words: str):
    with pytest.raises(NodeError, match=words):
        live_effects.keys_in(text)


@pytest.mark.effects("processes")
def test_the_network_is_tried_where_the_answers_lead():
    import yaml

    values = yaml.safe_load(BOND)
    seen = look(load_plugins(), [Layer(Precedence.FILE, values)], machine("server-nvme-pair"))
    system = FakeSystem()
    system.outputs["ping"] = Completed(("ping",), 1, "", "")
    found = live_effects.test_network(machine("server-nvme-pair"), system.commands, seen)
    assert [(one.what, one.good) for one in found] == [
        ("link of eno1", True),
        ("link of eno2", False),
        ("gateway 192.0.2.1", False),
        ("name server 192.0.2.53", False),
    ]


def test_sticks_are_what_any_computer_reads():
    assert [node for node, _ in live_effects.sticks(machine("minipc-usb-boot"))] == ["/dev/sdb2"]
    assert live_effects.sticks(machine("laptop-nvme")) == []


def test_the_answers_go_onto_the_stick_and_it_is_let_go(monkeypatch: pytest.MonkeyPatch):
    written: dict[str, str] = {}
    monkeypatch.setattr(Path, "write_text", lambda path, text, **_: written.update({path.name: text}))
    system = FakeSystem()
    assert live_effects.save(system.commands, "version: 1\n", "/dev/sdb2") == "answers.yaml on /dev/sdb2"
    assert written == {"answers.yaml": "version: 1\n"}
    assert [call.arguments["argv"][0] for call in system.calls] == ["mount", "umount"]


@pytest.mark.parametrize(
    ("layout", "loaded"), [("cz", "cz-us-qwertz"), ("us", "us"), ("de(nodeadkeys)", "de-latin1-nodeadkeys")]
)
def test_the_keyboard_counts_at_once(layout: str, loaded: str):
    system = FakeSystem()
    live_effects.set_keyboard(system.commands, layout)
    assert system.calls[0].arguments["argv"][-1] == loaded
