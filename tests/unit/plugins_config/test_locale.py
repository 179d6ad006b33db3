from __future__ import annotations

import pytest
from pydantic import ValidationError

from node.model.state import State
from node.plugins import locale
from node.plugins.locale import LocaleAnswers
from node.plugins.locale.keymaps import keymap


def refused(**fields):
    with pytest.raises(ValidationError) as caught:
        LocaleAnswers.model_validate(fields)
    return [(error["type"], error["ctx"]["mend"]) for error in caught.value.errors()]


@pytest.mark.parametrize("lang", ["", "C", "C.UTF-8", "en_US.UTF-8", "de_DE@euro", "ast_ES.UTF-8"])
def test_languages(lang):
    assert LocaleAnswers(lang=lang).lang == lang


def test_every_wrong_value_is_named_at_once():
    found = refused(lang="English", keyboard="de-x!", timezone="Europe/Berln")
    assert [code for code, _ in found] == ["language-invalid", "keyboard-unknown", "timezone-unknown"]
    assert found[2][1] == "Did you mean Europe/Berlin?"


@pytest.mark.parametrize("timezone", ["../../etc/shadow", "/etc/passwd", "Europe/Berlin\n", "Europe"])
def test_a_time_zone_is_no_path(timezone):
    assert refused(timezone=timezone)[0][0] == "timezone-unknown"


def test_the_files():
    state = State(
        sections={
            "locale": {"lang": "de_DE.UTF-8", "keyboard": "de(nodeadkeys)", "timezone": "Europe/Berlin"}
        }
    )
    found = {file.path: file.target or file.contents for file in locale.node_render(state)}
    unit = found.pop("/etc/systemd/system/nodecrust-keyboard.service")
    assert "ExecStart=-/usr/bin/loadkeys -q -C /dev/tty0 de-latin1-nodeadkeys\n" in unit
    wants = "/etc/systemd/system/multi-user.target.wants/nodecrust-keyboard.service"
    assert found.pop(wants) == "../nodecrust-keyboard.service"
    xkb = 'XKBMODEL="pc105"\nXKBLAYOUT="de"\nXKBVARIANT="nodeadkeys"\nXKBOPTIONS=""\n'
    assert found == {
        "/etc/locale.conf": "LANG=de_DE.UTF-8\n",
        "/etc/default/locale": "../locale.conf",
        "/etc/default/keyboard": f'{xkb}BACKSPACE="guess"\n',
        "/etc/vconsole.conf": f"KEYMAP=de-latin1-nodeadkeys\n{xkb}",
        "/etc/localtime": "/usr/share/zoneinfo/Europe/Berlin",
        "/etc/timezone": "Europe/Berlin\n",
    }


def test_what_is_not_set_stays_as_the_image_has_it():
    assert locale.node_render(State()) == ()


def test_the_layout_that_the_kernel_has_needs_no_unit():
    found = locale.node_render(State(sections={"locale": {"keyboard": "us"}}))
    assert [file.path for file in found] == ["/etc/default/keyboard", "/etc/vconsole.conf"]


def test_an_unknown_layout_is_refused():
    assert refused(keyboard="xx")[0][0] == "keyboard-unknown"
    assert refused(keyboard="de-latin1")[0][0] == "keyboard-unknown"


def test_console_keymaps_have_names_of_their_own():
    assert [keymap("gb", ""), keymap("us", ""), keymap("us", "dvorak")] == ["uk", "us", "dvorak"]


def test_a_keymap_of_the_console_leads_to_its_layout():
    assert refused(keyboard="de-latin1-nodeadkeys")[0][1].startswith("Did you mean de(nodeadkeys)?")
    assert refused(keyboard="uk")[0][1].startswith("Did you mean gb?")
    assert refused(keyboard="latm")[0][1].startswith("Did you mean latam?")


def test_how_each_file_comes_into_force():
    state = State(sections={"locale": {"lang": "C.UTF-8", "keyboard": "de", "timezone": "UTC"}})
    found = {file.path: file.live for file in locale.node_render(state)}
    loads = found["/etc/vconsole.conf"]
    assert found == {
        "/etc/locale.conf": (),
        "/etc/default/locale": (),
        "/etc/default/keyboard": (),
        "/etc/vconsole.conf": loads,
        "/etc/systemd/system/nodecrust-keyboard.service": (("systemctl", "daemon-reload"),),
        "/etc/systemd/system/multi-user.target.wants/nodecrust-keyboard.service": (
            ("systemctl", "daemon-reload"),
        ),
        "/etc/localtime": (),
        "/etc/timezone": (),
    }
    # The same for each layout, so that one that is taken away or back is loaded no longer.
    assert loads
    other = State(sections={"locale": {"keyboard": "fr"}})
    assert {file.path: file.live for file in locale.node_render(other)}["/etc/vconsole.conf"] == loads
