"""What the timer starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from node.agent import take_back
from node.agent.configuration import carry_out, propose
from node.agent.trial import UNIT
from tests.unit.agent.desk import Node, setting

UNITS = Path(__file__).parents[3] / "node/boot/units"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    node = Node(tmp_path)
    node.install(hostname="node1")
    monkeypatch.setattr(take_back, "Places", lambda: node.places)
    monkeypatch.setattr(take_back, "LiveCommands", lambda: node.system.commands)
    return node


def test_it_takes_the_change_back_says_so_and_is_quiet_without_one(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    change = setting(netplan={"ethernets": {"a": {}}})
    carry_out(node.desk, propose(node.desk, change), reason="t", timeout_s=60)
    assert take_back.main() == 0
    assert "not confirmed in time and was taken back" in capsys.readouterr().err
    assert take_back.main() == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("record", ["", "{}", '{"state": 7}'])
def test_a_record_that_cannot_be_read_is_a_failure_in_words(
    node: Node, record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (node.places.run / "trial").mkdir()
    (node.places.run / "trial/trial.json").write_text(record)
    assert take_back.main() == 1
    assert "can't be read" in capsys.readouterr().err


def test_the_unit_that_the_timer_starts_runs_it() -> None:
    text = (UNITS / f"{UNIT}.service").read_text()
    assert re.search(
        rf"^ExecStart=/usr/bin/python3 -I -m {re.escape(take_back.__name__)}$", text, re.MULTILINE
    )
    # It is started by nothing but the timer.
    assert "[Install]" not in text
