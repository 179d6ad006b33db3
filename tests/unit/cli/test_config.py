"""nodectl config and nodectl password, as somebody at a terminal meets them, with the built-in plugins."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from node.agent import changes, configuration
from node.agent.places import Places
from node.cli import config_desk, config_edit, logs, main, password
from node.errors import CommandFailedError
from node.model.state import State
from node.persist.store import history, read_state, write_state
from node.system import passwords
from node.system.files import LiveFiles
from node.testing.fake_system import FakeSystem

HASH = "$y$j9T$FLCNCLlRdqDmA0lbNl9yg/$1gdhzKyfXXnBqT1BnYqPAQrGmXlTjcbIlF5fvZfuy51"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me@desk"
ACCESS = {"admin": {"password_hash": HASH, "ssh_keys": [KEY]}}
SECTIONS: dict[str, Any] = {
    "network": {"hostname": "node1"},
    "access": ACCESS,
    "locale": {},
    "vendor": {"token": "s3cret"},
}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    places = Places(*(tmp_path / name for name in ("root", "image", "run", "net")))
    for folder in (places.root / "etc", places.image / "etc", places.run, places.net, tmp_path / "config"):
        folder.mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        for root in (places.root, places.image):
            (root / "etc" / name).write_text("root:x:0:0::/root:/bin/bash\nshadow:x:42:\n")
    system = FakeSystem()
    monkeypatch.setenv("NODECRUST_PLUGINS", "")
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(logs, "RUN", places.run)
    monkeypatch.setattr(config_desk, "Places", lambda: places)
    monkeypatch.setattr(config_desk, "CONFIG", tmp_path / "config")
    monkeypatch.setattr(config_desk, "LiveCommands", lambda: system.commands)
    monkeypatch.setattr(config_desk, "find_nics", tuple)
    monkeypatch.setattr(config_desk.os, "geteuid", lambda: 0)
    monkeypatch.setattr(changes, "owner_number", lambda *_, **__: os.getuid())
    monkeypatch.setattr(password, "SHADOW", places.root / "etc/shadow")
    write_state(tmp_path / "config", State(sections=SECTIONS), reason="installed", at=datetime.now(UTC))
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    # The root's files are what the state says.
    assert main.run(["config", "apply", "--no-trial"]) == 0
    system.calls.clear()
    yield SimpleNamespace(system=system, places=places, config=tmp_path / "config")
    root.handlers[:], root.level = before


def stored(node: SimpleNamespace) -> dict[str, Any]:
    found = read_state(node.config)
    assert found is not None
    return {key: dict(value) for key, value in found.state.sections.items()}


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_show_masks_every_secret(node: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for arguments in ([], ["--all"], ["--json"]):
        assert main.run(["config", "show", *arguments]) == 0
        shown = capsys.readouterr().out
        assert "node1" in shown
        assert "$y$" not in shown
        assert "s3cret" not in shown
        assert ("keyboard" in shown) is (arguments == ["--all"])


@pytest.mark.parametrize(
    ("key", "options", "shown"),
    [
        ("network.hostname", [], "node1\n"),
        ("network.dns", [], ""),
        ("access.admin.sudo", [], "true\n"),
        ("access.admin.password_hash", [], "********\n"),
        ("access.admin.password_hash", ["--reveal"], f"{HASH}\n"),
        ("access.admin.ssh_keys.0", [], f"{KEY}\n"),
        ("access.admin.ssh_keys", [], f"- {KEY}\n"),
    ],
)
def test_get(
    node: SimpleNamespace, key: str, options: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main.run(["config", "get", key, *options]) == 0
    assert capsys.readouterr().out == shown


def test_a_key_that_is_not_there_has_its_neighbour_named(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["config", "get", "network.hostnam"]) == 2
    assert "Did you mean network.hostname?" in capsys.readouterr().err


def test_set_stores_shows_and_notes_who_without_what(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    capsys.readouterr()
    assert main.run(["config", "set", "network.hostname=node2", "locale.timezone=UTC"]) == 0
    shown = capsys.readouterr().out
    assert "-  hostname: node1\n+  hostname: node2\n" in shown
    assert shown.endswith("Stored.\n")
    assert stored(node)["network"]["hostname"] == "node2"
    assert stored(node)["vendor"] == {"token": "s3cret"}
    assert (node.places.root / "etc/hostname").read_text() == "node2\n"
    assert history(node.config)[0].reason == "config set network.hostname, locale.timezone, by ann"
    # A start whose rendering fails falls back on what counts now.
    assert "node2" in (node.config / "last-good.json").read_text()


@pytest.mark.parametrize("words", [["network.dns", "192.0.2.1"], ["network.dns", "+=", "192.0.2.1"]])
def test_set_takes_words_of_their_own(node: SimpleNamespace, words: list[str]) -> None:
    assert main.run(["config", "set", *words, "--no-trial"]) == 0
    assert stored(node)["network"]["dns"] == ["192.0.2.1"]


def test_no_path_is_torn_apart(node: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main.run(["config", "set", "locale.keyboard=de", "locale.timezone=UTC"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "In force:" in lines
    assert "  /etc/systemd/system/multi-user.target.wants/nodecrust-keyboard.service" in lines


def test_a_dry_run_touches_nothing(node: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    netplan = "network.netplan={ethernets: {eth0: {dhcp4: true}}}"
    assert main.run(["config", "set", "network.hostname=node2", netplan, "--dry-run", "--json"]) == 0
    found = told(capsys)
    assert found["dry_run"] is True
    assert found["changed"] is False
    assert found["needs_trial"] is True
    assert "/etc/netplan/90-nodecrust.yaml" in found["in_force"]
    assert stored(node)["network"] == {"hostname": "node1"}
    assert [c for c in node.system.calls if "generate" not in str(c)] == []


@pytest.mark.parametrize(
    ("arguments", "where", "mend"),
    [
        (["network.hostnam=x"], "network.hostnam", "Did you mean network.hostname?"),
        (["network.hostname=-x"], "network.hostname", "Write a name"),
        (["storage.keep=true"], "storage", "Take it out; what lasts is:"),
        (["nothing.at=all"], "nothing", "The sections are"),
        (["access.admin="], "access", "no_login"),
        (["network.dns.3=x"], "network.dns.3", "config show"),
        (["access.ssh_password_login=perhaps"], "access.ssh_password_login", "true or false"),
    ],
)
def test_a_wrong_change_is_refused_with_its_place(
    node: SimpleNamespace,
    arguments: list[str],
    where: str,
    mend: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert main.run(["config", "set", *arguments, "--json"]) == 2
    problems = told(capsys)["error"]["problems"]
    assert where in [problem["where"] for problem in problems]
    assert any(mend in problem["mend"] for problem in problems)
    assert stored(node) == stored(node) | {"network": {"hostname": "node1"}}


def test_a_secret_on_the_command_line_is_refused(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main.run(["config", "set", f"access.root.password_hash={HASH}"]) == 2
    assert "$y$" not in "".join(capsys.readouterr())
    (tmp_path / "hash").write_text(f"{HASH}\n")
    assert main.run(["config", "set", f"access.root.password_hash=@{tmp_path}/hash"]) == 0
    assert "$y$" not in "".join(capsys.readouterr())
    assert stored(node)["access"]["root"]["password_hash"] == HASH


def test_a_value_may_come_from_a_file_or_standard_input(
    node: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "n.yaml").write_text("ethernets:\n  eth0: {dhcp4: true}\n")
    assert main.run(["config", "set", f"network.netplan=@{tmp_path}/n.yaml", "--no-trial"]) == 0
    assert stored(node)["network"]["netplan"] == {"ethernets": {"eth0": {"dhcp4": True}}}
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"{}\n")))
    assert main.run(["config", "set", "network.netplan=@-", "--no-trial"]) == 0
    assert "netplan" not in stored(node)["network"]


def test_a_network_change_waits_for_its_confirmation(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    change = ["config", "set", "network.netplan.ethernets.eth0.dhcp4=true"]
    assert main.run([*change, "--timeout", "30"]) == 0
    shown = capsys.readouterr().out
    assert "On trial: it is taken back in 30 s, unless it is confirmed by `nodectl config\n" in shown
    assert stored(node)["network"] == {"hostname": "node1"}
    assert main.run(["config", "show"]) == 0
    assert "On trial" in capsys.readouterr().err
    assert main.run(["config", "set", "locale.timezone=UTC"]) == 75
    assert main.run(["config", "confirm"]) == 0
    assert stored(node)["network"]["netplan"] == {"ethernets": {"eth0": {"dhcp4": True}}}
    assert main.run(["config", "confirm"]) == 2


def test_a_way_back_that_failed_is_not_called_a_change_in_force(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["config", "set", "network.netplan.ethernets.eth0.dhcp4=true"]) == 0
    node.system.failing["commands.run"] = CommandFailedError("networkctl failed", argv=(), status=1)
    assert main.run(["config", "rollback"]) == 1
    capsys.readouterr()
    assert main.run(["config", "show"]) == 0
    assert "could not be taken back whole yet" in " ".join(capsys.readouterr().err.split())
    assert main.run(["config", "show", "--json"]) == 0
    assert told(capsys)["trial"]["failed"] is True
    node.system.failing.clear()
    assert main.run(["config", "rollback"]) == 0
    assert main.run(["config", "show", "--json"]) == 0
    assert '"trial": null' in capsys.readouterr().out


def test_a_full_config_takes_no_change_on_trial(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(LiveFiles, "write", full)
    assert main.run(["config", "set", "network.netplan.ethernets.eth0.dhcp4=true"]) == 1
    assert "CONFIG is full: the configuration stays as it was" in capsys.readouterr().err
    monkeypatch.undo()
    assert sorted(path.name for path in node.config.glob("trial*")) == []


def test_rollback_takes_a_trial_back_and_goes_to_earlier_versions(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["config", "set", "network.netplan.ethernets.eth0.dhcp4=true"]) == 0
    assert main.run(["config", "rollback"]) == 0
    assert "eth0" not in (node.places.root / "etc/netplan/90-nodecrust.yaml").read_text()
    assert main.run(["config", "rollback"]) == 2
    for name in ("node2", "node3"):
        assert main.run(["config", "set", f"network.hostname={name}"]) == 0
    assert main.run(["config", "rollback"]) == 0
    assert stored(node)["network"]["hostname"] == "node2"
    assert main.run(["config", "rollback", "1"]) == 0
    assert stored(node)["network"]["hostname"] == "node1"
    capsys.readouterr()
    assert main.run(["config", "history", "--json"]) == 0
    versions = told(capsys)["versions"]
    assert [version["number"] for version in versions] == [5, 4, 3, 2, 1]
    assert [version["current"] for version in versions] == [True, False, False, False, False]
    assert main.run(["config", "history"]) == 0
    assert "rollback to version 1, by root" in capsys.readouterr().out
    assert main.run(["config", "history", "3"]) == 0
    assert "+  hostname: node3" in capsys.readouterr().out
    assert main.run(["config", "rollback", "77"]) == 2


def test_apply_replaces_the_sections_of_a_file(
    node: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("version: 1\nnetwork:\n  hostname: node9\n  dns: [192.0.2.53]\n")
    assert main.run(["config", "apply", str(file), "--no-trial"]) == 0
    assert stored(node)["network"] == {"hostname": "node9", "dns": ["192.0.2.53"]}
    assert stored(node)["access"] == ACCESS
    file.write_text("network:\n  hostname: -x\n  dnss: [1]\nstorage: {}\n")
    capsys.readouterr()
    for command in (["apply"], ["validate"]):
        assert main.run(["config", *command, str(file)]) == 2
        shown = " ".join(capsys.readouterr().err.split())
        assert "c.yaml, line 2" in shown
        assert "c.yaml, line 3" in shown
        assert "c.yaml, line 4" in shown
    assert main.run(["config", "validate"]) == 0


def test_apply_mends_what_was_changed_by_hand(node: SimpleNamespace) -> None:
    (node.places.root / "etc/hostname").write_text("other\n")
    assert main.run(["config", "apply"]) == 0
    assert (node.places.root / "etc/hostname").read_text() == "node1\n"
    assert len(history(node.config)) == 1


@pytest.mark.parametrize(
    "words", ["show", "get network", "set a=b", "edit", "validate", "apply", "confirm", "history", "rollback"]
)
def test_only_root_may(
    node: SimpleNamespace, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config_desk.os, "geteuid", lambda: 1000)
    assert main.run(["config", *words.split()]) == 2
    assert "only root can" in capsys.readouterr().err


def test_a_machine_without_a_configuration_says_so(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(config_desk, "CONFIG", tmp_path / "nowhere")
    assert main.run(["config", "show"]) == 69
    assert "keeps no configuration" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["password", "root", "--expires", "2999-12-31"], "root's account never expires"),
        (["password", "--expires", "2020-01-01"], "nobody could log in then"),
        (["config", "set", "access.admin.expires=2020-01-01"], "nobody could log in then"),
    ],
)
def test_an_expiry_that_would_do_nothing_or_all_at_once_is_refused(
    node: SimpleNamespace, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main.run(arguments) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert stored(node)["access"] == ACCESS


def test_an_expiry_of_the_past_is_a_warning_beside_another_way_in_and_hinders_nothing_else(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["config", "set", f"access.root.ssh_keys+={KEY}"]) == 0
    capsys.readouterr()
    assert main.run(["config", "set", "access.admin.expires=2020-01-01"]) == 0
    assert "has come already" in " ".join(capsys.readouterr().err.split())
    assert main.run(["config", "set", "network.hostname=node2"]) == 0
    assert "has come already" not in " ".join(capsys.readouterr().err.split())


def test_what_is_wrong_with_the_stored_state_is_told_of_that(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    sections = SECTIONS | {"access": {}}
    write_state(node.config, State(sections=sections), reason="by another way", at=datetime.now(UTC))
    capsys.readouterr()
    main.run(["config", "validate"])
    shown = capsys.readouterr()
    assert "from what is stored" in shown.out + shown.err
    assert "the new configuration" not in shown.out + shown.err


def test_a_broken_state_gives_way_and_is_named(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    (node.config / "node.yaml").write_text("version: [")
    capsys.readouterr()
    assert main.run(["config", "show"]) == 0
    shown = capsys.readouterr()
    assert "node1" in shown.out
    assert "history/000001.yaml is used" in " ".join(shown.err.split())


def test_the_history_says_that_the_state_in_force_is_torn(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    current = node.config / "node.yaml"
    current.write_text(current.read_text()[:-20])
    capsys.readouterr()
    assert main.run(["config", "history"]) == 0
    shown = capsys.readouterr()
    assert "installed" in shown.out
    assert "the state is cut off" in " ".join(shown.err.split())
    assert main.run(["config", "history", "--json"]) == 0
    (warning,) = told(capsys)["warnings"]
    assert "history/000001.yaml is used in its place" in warning


def newer(node: SimpleNamespace) -> str:
    """Have a newer image's state in force; give its text."""
    current = node.config / "node.yaml"
    text = current.read_text().replace("\nversion: 1\n", "\nversion: 9\n").replace("node1", "node9")
    current.write_text(text)
    return text


def test_a_state_of_a_newer_image_has_a_way_on(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    text = newer(node)
    assert main.run(["config", "set", "network.hostname=node2"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "nodectl config rollback --replace-newer" in said
    assert main.run(["config", "rollback", "--replace-newer", "--dry-run"]) == 0
    assert (node.config / "node.yaml").read_text() == text
    assert main.run(["config", "history"]) == 0
    assert "this image knows 1" in " ".join(capsys.readouterr().err.split())
    assert main.run(["config", "rollback", "--replace-newer"]) == 0
    assert "is kept as" in capsys.readouterr().out
    assert stored(node)["network"]["hostname"] == "node1"
    assert [path.read_text() for path in (node.config / "broken").iterdir()] == [text]
    assert main.run(["config", "set", "network.hostname=node2"]) == 0
    capsys.readouterr()
    assert main.run(["config", "history"]) == 0
    assert "config rollback --replace-newer, by root" in capsys.readouterr().out


def test_a_chosen_version_takes_the_place_of_a_newer_state(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("node2", "node3"):
        assert main.run(["config", "set", f"network.hostname={name}"]) == 0
    newer(node)
    capsys.readouterr()
    assert main.run(["config", "rollback", "2", "--replace-newer", "--json"]) == 0
    assert told(capsys)["from"] == "version 2"
    assert stored(node)["network"]["hostname"] == "node2"


def test_what_is_not_newer_is_not_given_up(node: SimpleNamespace) -> None:
    before = (node.config / "node.yaml").read_text()
    assert main.run(["config", "rollback", "--replace-newer"]) == 2
    assert (node.config / "node.yaml").read_text() == before
    newer(node)
    for path in (node.config / "history").iterdir():
        path.unlink()
    assert main.run(["config", "rollback", "--replace-newer"]) == 2


def test_a_new_name_of_the_admin_is_none_of_the_images_own(
    node: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (node.places.image / "etc/passwd").write_text("agent:x:998:998::/:/usr/sbin/nologin\nadmin:x:997:1::/:\n")
    check = partial(config_desk.check_account, image=node.places.image)
    monkeypatch.setattr(config_desk, "check_account", check)
    capsys.readouterr()
    assert main.run(["config", "set", "access.admin.name=agent"]) == 2
    assert "'agent' is an account of the system" in " ".join(capsys.readouterr().err.split())
    # The name that it has already hinders nothing else.
    assert main.run(["config", "set", "network.hostname=node2"]) == 0


class Editor:
    """Edits by functions, one a time that it is opened; keeps what it saw."""

    def __init__(self, *edits: Any) -> None:
        self.edits = list(edits)
        self.seen: list[str] = []
        self.modes: list[int] = []

    def __call__(self, *, filename: str) -> None:
        path = Path(filename)
        self.seen.append(path.read_text())
        self.modes.append(path.stat().st_mode & 0o777)
        path.write_text(self.edits.pop(0)(self.seen[-1]))


def test_edit_shows_all_keys_keeps_secrets_and_reopens_on_problems(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def mended(text: str) -> str:
        return text.replace("hostname: -bad", "hostname: node5").replace("  #timezone: ''", "  timezone: UTC")

    editor = Editor(lambda text: text.replace("hostname: node1", "hostname: -bad"), mended)
    monkeypatch.setattr(click, "edit", editor)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: True)
    monkeypatch.setattr(config_edit.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert main.run(["config", "edit"]) == 0
    assert HASH not in "".join(editor.seen)
    assert "#dns: []" in editor.seen[0]
    assert "#root:" in editor.seen[0]
    assert "#!   1. network.hostname:" in editor.seen[1]
    assert editor.modes == [0o600, 0o600]
    assert stored(node)["network"]["hostname"] == "node5"
    assert stored(node)["locale"] == {"timezone": "UTC"}
    assert stored(node)["access"] == ACCESS
    assert stored(node)["vendor"] == {"token": "s3cret"}
    assert not list(node.places.run.glob("config-*.yaml"))


def test_edit_without_a_change_or_with_a_problem_that_nobody_mends(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(click, "edit", Editor(lambda text: text))
    assert main.run(["config", "edit"]) == 0
    assert "Nothing was changed." in capsys.readouterr().out
    monkeypatch.setattr(click, "edit", Editor(lambda text: text + "network: 7\n"))
    monkeypatch.setattr(config_edit.sys, "stdin", SimpleNamespace(isatty=lambda: False))
    assert main.run(["config", "edit"]) == 2
    assert "stands twice" in capsys.readouterr().err
    assert stored(node)["network"] == {"hostname": "node1"}


def test_beside_a_trial_nobody_is_asked_for_what_cannot_be_stored(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["config", "set", "network.netplan={ethernets: {a: {dhcp4: true}}}"]) == 0
    editor = Editor()
    monkeypatch.setattr(click, "edit", editor)
    assert main.run(["config", "edit"]) == 75
    assert main.run(["password"]) == 75
    assert "a change is on trial" in capsys.readouterr().err
    assert editor.seen == []


def test_every_comment_of_the_form_can_be_taken_off(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is commented out is YAML of the right place and form, with the default as its value."""
    lines: list[str] = []

    def uncommented(text: str) -> str:
        for line in text.splitlines():
            stripped = line.lstrip()
            off = stripped.startswith("#") and not stripped.startswith("# ")
            lines.append(line.replace("#", "", 1) if off else line)
        return "\n".join(lines) + "\n"

    monkeypatch.setattr(click, "edit", Editor(uncommented))
    assert main.run(["config", "edit", "--no-trial"]) == 0
    assert stored(node) == SECTIONS


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogateescape"))))


def test_a_password_is_stored_as_a_hash_of_today(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(monkeypatch, "correct horse\n")
    assert main.run(["password", "--stdin"]) == 0
    admin = stored(node)["access"]["admin"]
    assert passwords.verify("correct horse", admin["password_hash"])
    assert admin["password_changed"] == f"{datetime.now(UTC):%Y-%m-%d}"
    assert "correct horse" not in "".join(capsys.readouterr())
    shadow = (node.places.root / "etc/shadow").read_text()
    assert f"admin:{admin['password_hash']}:" in shadow
    assert history(node.config)[0].reason == "password of admin, by root"


def test_a_password_is_asked_for_twice(node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(click, "prompt", lambda text, **how: asked.append({"text": text, **how}) or "secret7")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert main.run(["password", "root"]) == 0
    (question,) = asked
    assert question["hide_input"] is True
    assert question["confirmation_prompt"]
    assert passwords.verify("secret7", stored(node)["access"]["root"]["password_hash"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--lock"], {"locked": True}),
        (["--max-days", "90"], {"password_max_days": 90}),
        (["--expires", "2030-01-31"], {"expires": "2030-01-31"}),
    ],
)
def test_lock_and_expiry_leave_the_password(
    node: SimpleNamespace, options: list[str], expected: dict[str, Any]
) -> None:
    changed = ["access.no_login=true"] if options == ["--lock"] else []
    if changed:
        assert main.run(["config", "set", *changed]) == 0
    assert main.run(["password", *options]) == 0
    assert stored(node)["access"]["admin"] == {**ACCESS["admin"], **expected}


def test_a_password_is_removed_and_a_lock_taken_off(node: SimpleNamespace) -> None:
    assert main.run(["password", "--remove"]) == 0
    assert stored(node)["access"]["admin"] == {"ssh_keys": [KEY]}
    assert main.run(["password", "--unlock"]) == 0


def test_what_passwd_changed_is_adopted(node: SimpleNamespace) -> None:
    new = passwords.hash_password("by passwd")
    shadow = node.places.root / "etc/shadow"
    shadow.write_text(shadow.read_text().replace(HASH, new))
    assert main.run(["password", "--adopt"]) == 0
    assert stored(node)["access"]["admin"]["password_hash"] == new
    assert history(node.config)[0].reason == "password of admin, set by passwd, by root"
    before = len(history(node.config))
    assert main.run(["password", "--adopt"]) == 0
    assert len(history(node.config)) == before


def test_what_could_not_be_adopted_yet_is_tried_again() -> None:
    text = (Path(__file__).parents[3] / "node/boot/units/nodecrust-passwords.service").read_text()
    assert "RestartForceExitStatus=75\n" in text
    # systemd 257 restarts no oneshot that counts as a success.
    assert "SuccessExitStatus" not in text


def test_what_passwd_changed_is_not_adopted_of_a_change_that_is_taken_back(
    node: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = node.places.root / "etc/shadow"
    before, exclusive = shadow.read_text(), configuration.exclusive
    shadow.write_text(before.replace(HASH, passwords.hash_password("on trial")))

    def taken_back(run: Path) -> Any:
        shadow.write_text(before)
        return exclusive(run)

    monkeypatch.setattr(configuration, "exclusive", taken_back)
    assert main.run(["password", "--adopt"]) == 75
    assert stored(node)["access"] == ACCESS


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], ""),
        (["daemon"], ""),
        (["--stdin"], "\n"),
        (["--stdin"], ""),
        (["--stdin"], "x" * 512),
        (["--stdin"], "\udcff\n"),
        (["--stdin", "--remove"], "x\n"),
        (["--adopt", "--lock"], ""),
        (["root", "--expires", "2999-12-31"], ""),
        (["--expires", "2020-01-01"], ""),
        (["--expires", "soon"], ""),
    ],
)
def test_a_password_that_cannot_be_asked_for_or_hashed_or_is_nobody_s(
    node: SimpleNamespace, arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    typing(monkeypatch, text)
    assert main.run(["password", *arguments]) == 2
    assert stored(node)["access"] == ACCESS


def test_the_history_tells_a_lock_from_a_password(node: SimpleNamespace) -> None:
    assert main.run(["password", "root", "--lock", "--max-days", "90"]) == 0
    assert history(node.config)[0].reason == "lock, password's age of root, by root"
