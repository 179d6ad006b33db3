"""A backend of registration from outside works in a process of its own, whatever becomes of that."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from node.cli.register_post import backends_of
from node.demo.fake_system import FakeSystem
from node.errors import NodeError, TryAgainError
from node.model.inventory import Inventory
from node.model.registration import Around, Desired, Outcome, Result, Standing
from node.model.state import State
from node.plugin_host import backends
from tests.plugins.conftest import Loader
from tests.plugins.site import Site

BACKEND = """
from node.errors import NodeError, TryAgainError
from node.model.registration import Report, Standing

@dataclass(frozen=True)
class AcmeBackend:
    server: str
    @property
    def name(self): return "acme"
    def visit(self, around):
        {visit}
    def reaches(self, around): return around.state.version == 1
    def settle(self, around, desired, outcome):
        (around.folder / "settled").write_text(f"{{desired.generation}} {{outcome.result.value}}")

@hookimpl
def node_register(state): return [AcmeBackend(state.sections["acme"]["server"])]

@hookimpl
def node_probe(inventory): return {{"pid": os.getpid(), "architecture": inventory.architecture}}
"""
STATE = State(sections={"acme": {"server": "srv1"}})


def around(folder: Path, facts: object = None) -> Around:
    system = FakeSystem()
    return Around(STATE, Inventory(), folder, system.commands, system.files, facts or (lambda: {}))  # type: ignore[arg-type]


def test_what_it_reports_comes_back_as_data(site: Site, load: Loader, tmp_path: Path) -> None:
    words = 'f"{self.server} \\x1b[1mknows {around.facts()}"'
    visit = f'return Report(Standing.ACTIVE, {words}, terms=(("at", "x"),))'
    site.add("acme", BACKEND.format(visit=visit))
    plugins = load()
    (named,) = backends_of(plugins, STATE)
    assert (named.plugin, named.backend.name) == ("acme", "acme")

    def facts() -> dict[str, str]:
        given = plugins.call("node_probe", inventory=Inventory())
        return {one.plugin: one.value["architecture"] for one in given}

    report = named.backend.visit(around(tmp_path, facts))
    assert report.standing is Standing.ACTIVE
    # The facts of plugins are asked for in the host, from the backend's own process.
    assert report.words == "srv1 \ufffd[1mknows {'acme': 'x86_64'}"
    assert report.terms == (("at", "x"),)
    assert named.backend.reaches(around(tmp_path)) is True
    named.backend.settle(around(tmp_path), Desired(4, "", "srv1"), Outcome(Result.APPLIED))
    assert (tmp_path / "settled").read_text() == "4 applied"
    assert "acme_plugin" not in sys.modules
    # And the host is there again for whoever asks next.
    assert [one.value["architecture"] for one in plugins.call("node_probe", inventory=Inventory())] == [
        "x86_64"
    ]


@pytest.mark.parametrize(
    ("visit", "kind", "words"),
    [
        ("raise TryAgainError('the server is away', mend='Wait')", TryAgainError, "^the server is away$"),
        ("raise NodeError('no such token')", NodeError, "^no such token$"),
        ("raise RuntimeError('odd')", NodeError, "^plugin acme failed: RuntimeError: odd$"),
        ("os._exit(3)", NodeError, "^plugin acme failed: it ended with status 3"),
        ("ctypes.string_at(1)", NodeError, "^plugin acme failed: it was killed by SIGSEGV$"),
        ("time.sleep(600)", NodeError, "^plugin acme failed: it did not end within 1 s"),
        ("return 'fine'", NodeError, "^plugin acme gave no Report"),
    ],
)
def test_what_goes_wrong_is_told_in_its_kind(
    visit: str, kind: type[NodeError], words: str, site: Site, load: Loader, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(backends, "_VISIT_S", 1.0)
    site.add("acme", BACKEND.format(visit=visit))
    (named,) = backends_of(load(), STATE)
    with pytest.raises(NodeError) as failed:
        named.backend.visit(around(tmp_path))
    assert type(failed.value) is kind
    assert re.search(words, failed.value.brief)
    assert os.getpid() > 1


def test_what_is_no_backend_is_named(site: Site, load: Loader) -> None:
    site.add("acme", "@hookimpl\ndef node_register(state): return [7]")
    plugins = load()
    assert backends_of(plugins, STATE) == ()
    assert plugins.problems[0].what == "gave in node_register what is no backend"
