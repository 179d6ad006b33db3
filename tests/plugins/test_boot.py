"""A start of a node, whatever its plugins do: each costs its own time and its own files, no other's."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.boot import rendering
from node.boot.boot import boot
from node.boot.places import Places
from node.model.state import State
from node.persist.store import write_state
from tests.plugins.site import Site


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    for name in ("root/etc", "root/var/log", "config", "net", "run", "networks"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (tmp_path / "root/etc" / name).write_text("root:x:0:0::/root:/bin/bash\n")
    (tmp_path / "cmdline").write_text("quiet\n")
    monkeypatch.setattr("node.boot.root_files._number", lambda *_: os.getuid())
    return Places(
        root=tmp_path / "root",
        config=tmp_path / "config",
        run=tmp_path / "run",
        cmdline=tmp_path / "cmdline",
        net=tmp_path / "net",
        network=tmp_path / "networks",
        set_host_name=lambda _: None,
    )


def stored(places: Places, **sections: dict[str, object]) -> None:
    write_state(places.config, State(sections=sections), reason="test", at=datetime.now(UTC))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "PLUGIN_TIMEOUT_S", 1.0)
    monkeypatch.setattr(rendering, "CHECK_TIMEOUT_S", 1.0)


def test_its_files_are_rendered(site: Site, places: Places) -> None:
    site.good()
    stored(places, good={"level": 4})
    assert boot(places) == ()
    assert (places.root / "etc/good.conf").read_text() == "{'level': 4}\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("time.sleep(600)", "took longer than 1 s in node_render"),
        ("os._exit(2)", "ended its process with status 2 in node_render"),
        ("raise RuntimeError('no')", "failed in node_render: RuntimeError: no"),
        ("return [RenderedFile('/etc/x'), 7]", "gave a int in node_render, not a RenderedFile"),
        ("return [RenderedFile('../x')]", "which is not an absolute one"),
        ("return [RenderedFile('/etc/x\\n')]", "a file whose name has characters that can't stand there"),
    ],
)
def test_one_that_fails_has_its_last_good_files(code: str, words: str, site: Site, places: Places) -> None:
    site.good()
    bad = "@hookimpl\ndef node_render():\n    {}\n"
    site.add("bad", bad.format("return [RenderedFile('/etc/bad.conf', 'good')]"))
    stored(places, good={"level": 4})
    assert boot(places) == ()
    (site.folder / "bad_plugin.py").unlink()
    (places.root / "etc/bad.conf").unlink()
    for info in site.folder.glob("bad_dist*"):
        for file in info.iterdir():
            file.unlink()
        info.rmdir()
    site.add("bad", bad.format(code))
    (alarm,) = boot(places)
    assert alarm.startswith("plugin bad")
    assert words in alarm
    assert alarm.endswith("its files are those of the last good start")
    assert (places.root / "etc/bad.conf").read_text() == "good"
    assert (places.root / "etc/good.conf").read_text() == "{'level': 4}\n"
    assert not (places.root / "etc/x").exists()


def test_those_that_hang_cost_their_own_time(
    site: Site, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.plugin_host.host.IMPORT_TIMEOUT_S", 1.0)
    site.add("a-hangs", "time.sleep(600)")
    site.add("b-hangs", "@hookimpl\ndef node_sections(): time.sleep(600)")
    site.add("c-hangs", "@hookimpl\ndef node_render(): time.sleep(600)")
    site.add("d-hangs", "@hookimpl\ndef node_persist_paths(): time.sleep(600)")
    site.add("e-hangs", "@hookimpl\ndef node_migrate(): time.sleep(600)")
    site.good("z-good")
    stored(places, good={"level": 4}, network={"hostname": "mine"})
    began = time.monotonic()
    alarms = boot(places)
    assert time.monotonic() - began < 10
    assert {alarm.partition(" (")[0] for alarm in alarms} == {f"plugin {name}-hangs" for name in "abcd"}
    assert (places.root / "etc/good.conf").exists()
    assert (places.root / "etc/hostname").read_text() == "mine\n"


def test_a_section_whose_plugin_crashes_is_no_broken_state(site: Site, places: Places) -> None:
    site.add(
        "fragile",
        """
        class Fragile(SectionModel):
            key: ClassVar[str] = "fragile"
            persists: ClassVar[bool] = True
            word: str = ""
            @field_validator("word")
            @classmethod
            def crash(cls, word: str) -> str:
                return word if not word else os._exit(1)

        @hookimpl
        def node_sections(): return [Section(Fragile, "Fragile")]
        """,
    )
    # Its default isn't looked at by a validator of a field, but where validate_default says so.
    source = site.folder / "fragile_plugin.py"
    source.write_text(
        source.read_text().replace("    os._exit(1)", "    return word if not word else os._exit(1)")
    )
    stored(places, fragile={"word": "x"}, network={"hostname": "mine"})
    (alarm,) = boot(places)
    assert "ended its process with status 1 in the check of its section 'fragile'" in alarm
    assert (places.root / "etc/hostname").read_text() == "mine\n"
