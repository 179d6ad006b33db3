"""docs/configuration.md is what the code says, for every key."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.cli import config_docs
from node.cli.config import COMMANDS
from node.installer.flow import load_plugins
from node.installer.keys import KnownKeys
from node.model.state import RenderedFile

PAGE = Path(__file__).parents[3] / "docs/configuration.md"


@pytest.fixture(autouse=True)
def _no_outside_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_PLUGINS", "")


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == config_docs.this_page(), "run: python -m node.cli.config_docs"


def test_every_lasting_key_has_a_sample_that_says_when_it_counts() -> None:
    lasting = {
        key.dotted for key in KnownKeys(load_plugins().models()) if key.section.persists and not key.is_model
    }
    assert lasting == set(config_docs.SAMPLES)


def test_every_command_is_in_the_page() -> None:
    for name in COMMANDS:
        assert f"nodectl config {name}" in PAGE.read_text()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], config_docs.NO_FILE),
        ([RenderedFile("/etc/x", "new", live=())], "at once"),
        ([RenderedFile("/etc/x", "new", live=(), on_trial=True)], "at once, on trial"),
        ([RenderedFile("/etc/x", "new")], "at the next start"),
        (
            [RenderedFile("/etc/x", "new", live=()), RenderedFile("/etc/y", "new")],
            "at once; `/etc/y` at the next start",
        ),
    ],
)
def test_when_a_change_counts(files: list[RenderedFile], words: str) -> None:
    def files_of(sections):
        return files if sections["access"].get("ssh_password_login") else []

    assert config_docs.in_force("access.ssh_password_login", True, files_of) == words


def test_a_file_that_goes_counts_by_its_own_commands() -> None:
    def files_of(sections):
        by_password = sections["access"].get("ssh_password_login")
        return [] if by_password else [RenderedFile("/etc/x", "old", live=())]

    assert config_docs.in_force("access.ssh_password_login", True, files_of) == "at once"


def test_a_key_of_the_boot_menu_waits_for_an_installation_and_no_login_for_a_change() -> None:
    assert config_docs.in_force("boot.timeout", 5, lambda _: []) == "at the next installation"
    assert "change" in config_docs.in_force("access.no_login", True, lambda _: [])
