"""A machine that must be prepared first: the summary lists it, and its button prepares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.installer.tui.session import Verdict
from node.model.answers import Layer
from node.model.origin import Precedence
from node.testing.screens import Desk
from node.testing.workbench import BASE
from tests.unit.installer.test_preparing import BLANK, DISKLESS, SetUpController, talk_of

pytestmark = pytest.mark.effects("processes")


def desk(inventory=DISKLESS, *, real: bool = False) -> Desk:
    made = Desk(inventory, [Layer(Precedence.DEFAULT, BASE)], talk=talk_of(SetUpController("3")))
    if real:
        made.screens.effects = replace(made.screens.effects, demo=False)
    return made


def test_the_summary_lists_it_and_the_plan_waits() -> None:
    one = desk()
    assert one.session.verdict is Verdict.PREPARE
    assert "prepared first: F10" in one.screens.message
    one.press("f10")
    assert "This machine is prepared first, before a disk is chosen." in one.text()
    assert "1. Make one volume of the controller in slot 3" in one.text()
    assert desk(BLANK).session.verdict is Verdict.READY


def test_its_button_ends_the_screens_for_it() -> None:
    one = desk(real=True)
    one.session.set("network.hostname", "typed")
    one.screens.changed()
    one.press("f10", "enter")
    assert "Prepare this machine?" in one.text()
    one.press("enter")
    assert one.stopped
    assert one.screens.to_prepare
    assert one.session.layers()[-1].values == {"network": {"hostname": "typed"}}


def test_a_demonstration_prepares_nothing() -> None:
    one = desk()
    one.press("f10", "enter", "enter")
    assert not one.stopped
    assert "A demonstration prepares nothing." in one.screens.message
