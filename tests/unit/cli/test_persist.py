"""The words and the exit codes of `nodectl persist`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli import logs, persist_add, persist_diff, persist_drop, persist_list, persist_places, persist_save
from node.cli.main import run
from node.cli.persist_text import shown
from tests.unit.persist.kept_node import KeptNode


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A log of our own, and logging afterwards as it was."""
    (tmp_path / "log").mkdir()
    monkeypatch.setattr(logs, "RUN", tmp_path / "log")
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    for handler in root.handlers:
        if handler not in before[0]:
            handler.close()
    root.handlers[:], root.level = before


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptNode:
    node = KeptNode(tmp_path)
    for module in (persist_add, persist_diff, persist_drop, persist_list, persist_save):
        monkeypatch.setattr(module, "kept_places", lambda _what: node.places)
    monkeypatch.setattr(persist_add, "_start_watcher", lambda: None)
    return node


def test_a_file_from_add_to_drop(node: KeptNode, capsys: pytest.CaptureFixture[str]) -> None:
    node.write("/etc/app/a", "12345")
    node.at("/etc/app/l").symlink_to("a")
    os.mkfifo(node.at("/etc/app/pipe"))
    assert run(["persist", "add", "/etc/app", "/etc/app/l"]) == 0
    out = capsys.readouterr().out
    assert "kept from now on: /etc/app\n" in out
    assert "kept from now on: /etc/app/l (the symlink itself; it leads to a)" in out
    assert "left out: /etc/app/pipe: it is a named pipe" in out
    node.write("/etc/app/b", "1")
    assert run(["persist", "list"]) == 0
    out = capsys.readouterr().out
    assert "/etc/app  (folder, 2 files, 5 B, not saved yet)" in out
    assert "changed since it was saved: /etc/app/b" in out
    assert run(["persist", "save"]) == 0
    assert "saved: /etc/app/b" in capsys.readouterr().out
    assert run(["persist", "save"]) == 0
    # The pipe is said each time.
    assert capsys.readouterr().out.startswith("left out: ")
    assert run(["persist", "drop", "/etc/app", "/etc/app/l"]) == 0
    assert "no longer kept: /etc/app\n" in capsys.readouterr().out
    assert run(["persist", "list"]) == 0
    assert "nothing is kept" in capsys.readouterr().out


def test_refusals_are_wrong_usage_in_words_and_as_json(
    node: KeptNode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["persist", "add", "/etc/passwd", "/etc/none"]) == 2
    err = capsys.readouterr().err
    assert "/etc/passwd: accounts are made" in err
    assert "/etc/none: there is nothing of that name" in err
    assert run(["persist", "add", "--json", "/etc/passwd"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2
    assert run(["persist", "drop", "/etc/none"]) == 2
    assert run(["persist", "add"]) == 2


def test_the_three_parts(node: KeptNode, capsys: pytest.CaptureFixture[str]) -> None:
    node.write("/etc/app", "1")
    node.add("/etc/app")
    node.write("/etc/other", "1")
    (node.folder / "no-overlay/etc").mkdir(parents=True)
    (node.folder / "no-overlay/etc/other").write_text("1")
    assert run(["persist", "diff"]) == 0
    out = capsys.readouterr().out
    parts = ("Kept, and there again", "LOST with the next restart:", "this differs from the image:")
    assert [part in out for part in parts] == [True] * 3
    assert "  new            /etc/other" in out
    assert run(["persist", "diff", "--lost"]) == 0
    assert capsys.readouterr().out == "new            /etc/other\n"
    assert run(["persist", "diff", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [change["path"] for change in data["lost"]] == ["/etc/other"]
    assert data["lost"][0]["what"] == "new"
    assert [kept["path"] for kept in data["kept"]] == ["/etc/app"]
    assert run(["persist", "diff", "--lost", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lost"][0]["path"] == "/etc/other"
    assert run(["persist", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"][0]["unsaved"] == []


def test_a_broken_list_is_an_error_in_words(node: KeptNode, capsys: pytest.CaptureFixture[str]) -> None:
    node.places.kept.mkdir()
    (node.places.kept / "index.json").write_text("{")
    for words in (["list"], ["diff"], ["save"], ["drop", "/etc/x"]):
        assert run(["persist", *words]) == 1
        assert "the list of kept files is damaged" in capsys.readouterr().err


def test_only_root_may(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(persist_places.os, "geteuid", lambda: 1000)
    assert run(["persist", "list"]) == 2
    assert "only root" in capsys.readouterr().err


def test_names_do_nothing_to_a_terminal() -> None:
    assert shown("/etc/\x1b[2Jx\n") == "/etc/?[2Jx?"
    assert shown(os.fsdecode(b"/etc/\xff")) == "/etc/\ufffd"
