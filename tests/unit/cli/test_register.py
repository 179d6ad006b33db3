"""`nodectl register` where a round can't even begin: another one follows all the same."""

from __future__ import annotations

import os

import pytest

from node.cli import config_desk, register
from node.cli.main import run
from node.system.time_limit import TooLongError


def test_a_round_that_could_not_begin_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    def too_long() -> None:
        raise TooLongError("it took longer than 12 s")

    armed: list[float | None] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("node.cli.main.configure_logging", lambda **_: None)
    monkeypatch.setattr(config_desk, "load_plugins", too_long)
    monkeypatch.setattr(register, "_LOCK", tmp_path / "lock")
    monkeypatch.setattr(register, "arm_next", lambda next_s, _commands: armed.append(next_s))
    # The unit takes it for a success, so that systemd would not begin it again.
    assert run(["register"]) == 75
    assert armed == [60.0]
    assert "too busy" in capsys.readouterr().err


def test_what_was_booted_beside_the_nodes_own_root_is_not_registered(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    word = tmp_path / "own-root"
    word.write_text("/dev/vda\n")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("node.cli.main.configure_logging", lambda **_: None)
    monkeypatch.setattr(register, "_OWN_ROOT", word)
    monkeypatch.setattr(register, "open_office", lambda: pytest.fail("a round began"))
    assert run(["register"]) == 75
    said = " ".join(capsys.readouterr().err.split())
    assert "its own root is on /dev/vda" in said
    assert "Start the node from its disk" in said
