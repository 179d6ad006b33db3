"""What a node starts with where its state, a plugin or all of nodectl can't be used."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from node.boot import boot as boot_module
from node.boot import last_good, rendering
from node.boot.boot import boot
from node.boot.last_good import access_text, read_last_good
from node.boot.places import Places
from node.boot.without_plugins import NoLastGoodError, boot_last_good
from node.hookspecs import hookimpl
from node.model.answers import Section, SectionModel
from node.model.state import RenderedFile, State
from node.persist.store import write_state
from node.plugin_manager import Plugins

ME = str(os.getuid())
NETPLAN = RenderedFile("/etc/netplan/90-nodecrust.yaml", "network: {}\n", 0o600)
LOCALTIME = RenderedFile("/etc/localtime", target="../usr/share/zoneinfo/UTC")


class NetworkModel(SectionModel):
    key: ClassVar[str] = "network"
    persists: ClassVar[bool] = True

    hostname: str = ""
    order: int = 0


class Part:
    """A plugin that renders what it was made with, or does what it was told."""

    def __init__(self, render: Callable[[State], Any]) -> None:
        self.render = render

    @hookimpl
    def node_render(self, state: State) -> Any:
        return self.render(state)

    @hookimpl
    def node_sections(self) -> list[Section]:
        return [Section(NetworkModel, "Network", "")]


def part(render: Callable[[State], Any]) -> Callable[[], Part]:
    return lambda: Part(render)


def named(state: State) -> list[RenderedFile]:
    return [
        NETPLAN,
        RenderedFile("/etc/hostname", str(state.sections.get("network", {}).get("hostname", "-"))),
    ]


def failing(_: State) -> Any:
    raise RuntimeError("no luck")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    for name in ("root/etc", "root/var/log", "config", "net", "run", "networks"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "cmdline").write_text("quiet\n")
    monkeypatch.setattr("node.boot.root_files._number", lambda *_: int(ME))
    return Places(
        root=tmp_path / "root",
        config=tmp_path / "config",
        run=tmp_path / "run",
        network=tmp_path / "networks",
        cmdline=tmp_path / "cmdline",
        net=tmp_path / "net",
        set_host_name=lambda _: None,
    )


@pytest.fixture
def start(places: Places, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, ...]]:
    """Starts the node with these plugins, in a root made anew."""

    def start(**by_name: Callable[[], Any]) -> tuple[str, ...]:
        plugins = Plugins()
        for name, load in by_name.items():
            plugins.add(name, load)
        monkeypatch.setattr(boot_module, "load_plugins", lambda: plugins)
        for path in sorted(places.root.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        (places.root / "var/log").mkdir(parents=True)
        return boot(places)

    return start


def store(places: Places, name: str) -> None:
    state = State(sections={"network": {"hostname": name}})
    write_state(places.config, state, reason="test", at=datetime.now(UTC))


def hostname(places: Places) -> str:
    return (places.root / "etc/hostname").read_text()


def source(places: Places) -> str:
    return str(json.loads((places.run / "rendered.json").read_text())["source"])


def test_a_good_start_is_remembered_and_written_only_where_it_is_news(
    places: Places, start: Callable[..., tuple[str, ...]]
) -> None:
    store(places, "node7")
    assert start(network=part(named)) == ()
    path = places.config / "last-good.json"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat().st_ino
    assert start(network=part(named)) == ()
    assert path.stat().st_ino == before
    store(places, "node8")
    start(network=part(named))
    assert path.stat().st_ino != before
    assert read_last_good(places.config).files["network"] == tuple(
        named(State(sections={"network": {"hostname": "node8"}}))
    )


def test_word_is_left_of_what_the_state_made(places: Places, start: Callable[..., tuple[str, ...]]) -> None:
    store(places, "node7")
    start(network=part(named))
    document = json.loads((places.run / "rendered.json").read_text())
    assert document["source"] == "current"
    assert {"/etc/netplan/90-nodecrust.yaml", "/etc/hostname", "/etc/machine-id"} <= set(document["paths"])


def test_without_a_state_nothing_is_remembered(places: Places, start: Callable[..., tuple[str, ...]]) -> None:
    assert start(network=part(named)) == ()
    assert list(places.config.iterdir()) == []
    assert source(places) == "none"


@pytest.mark.parametrize("how", ["raises", "hangs", "is not loaded", "has no time left"])
def test_a_plugin_that_fails_has_the_files_of_its_last_good_start(
    places: Places, start: Callable[..., tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def motd(_: State) -> list[RenderedFile]:
        return [RenderedFile("/etc/motd", "hello\n")]

    def hanging(_: State) -> Any:
        time.sleep(30)

    store(places, "node7")
    start(broken=part(motd), network=part(named))
    monkeypatch.setattr(rendering, "PLUGIN_TIMEOUT_S", 0.2)
    store(places, "node8")
    if how == "has no time left":
        # The first one takes all of it; the network is the second.
        monkeypatch.setattr(boot_module, "ALL_TIMEOUT_S", 0.15)
        alarms = start(broken=part(hanging), network=part(named))
        assert hostname(places) == "node7"
        assert any("left it no time" in alarm for alarm in alarms)
        return
    bad: dict[str, Any] = {
        "raises": part(failing),
        "hangs": part(hanging),
        "is not loaded": lambda: 1 / 0,
    }
    (alarm,) = start(broken=bad[how], network=part(named))
    assert alarm.startswith("plugin broken: ")
    assert alarm.endswith("its files are those of the last good start")
    assert (places.root / "etc/motd").read_text() == "hello\n"
    assert hostname(places) == "node8"
    # Still remembered, for the next start.
    start(broken=bad[how], network=part(named))
    assert (places.root / "etc/motd").read_text() == "hello\n"


def test_a_plugin_that_is_gone_is_forgotten(places: Places, start: Callable[..., tuple[str, ...]]) -> None:
    store(places, "node7")
    start(motd=part(lambda _: [RenderedFile("/etc/motd", "hello\n")]), network=part(named))
    assert start(network=part(named)) == ()
    assert set(read_last_good(places.config).files) == {"network"}


def test_a_torn_state_gives_way_to_the_version_before_it(
    places: Places, start: Callable[..., tuple[str, ...]]
) -> None:
    store(places, "node7")
    start(network=part(named))
    (places.config / "node.yaml").write_text("version: 1\nsections: {netw")
    (alarm,) = start(network=part(named))
    assert "history/000001.yaml" in alarm
    assert hostname(places) == "node7"
    assert source(places) == "history/000001.yaml"


def test_a_section_that_its_model_refuses_is_a_broken_state(
    places: Places, start: Callable[..., tuple[str, ...]]
) -> None:
    store(places, "node7")
    bad = State(sections={"network": {"hostname": "node8", "order": "s3cret"}})
    write_state(places.config, bad, reason="test", at=datetime.now(UTC))
    (alarm,) = start(network=part(named))
    assert "section network" in alarm
    assert "s3cret" not in alarm
    assert hostname(places) == "node7"


def test_a_state_without_any_good_version_gives_way_to_the_last_good_start(
    places: Places, start: Callable[..., tuple[str, ...]]
) -> None:
    store(places, "node7")
    start(network=part(named))
    for path in (places.config / "history").iterdir():
        path.write_text("")
    (places.config / "node.yaml").write_text("")
    (alarm,) = start(network=part(named))
    assert "the node starts as it last started well" in alarm
    assert hostname(places) == "node7"
    assert source(places) == "last-good"


def test_a_config_that_lost_its_state_is_no_fresh_start(
    places: Places, start: Callable[..., tuple[str, ...]]
) -> None:
    (places.config / "installs.json").write_text("{}")
    (alarm,) = start(network=part(named))
    assert alarm == "CONFIG holds no configuration any more; the node starts with defaults"
    assert source(places) == "defaults"


@pytest.mark.parametrize("remembered", [True, False])
def test_a_state_of_a_newer_image_is_left_alone(
    places: Places, start: Callable[..., tuple[str, ...]], remembered: bool
) -> None:
    store(places, "node7")
    if remembered:
        start(network=part(named))
    path = places.config / "node.yaml"
    path.write_text("version: 99\nsections: {}\n")
    (alarm,) = start(network=part(named))
    assert "this image knows" in alarm
    assert path.read_text() == "version: 99\nsections: {}\n"
    assert hostname(places) == "node7"
    assert source(places) == ("last-good" if remembered else "history/000001.yaml")
    assert (places.config / "last-good.json").exists() == remembered


def test_a_config_that_takes_no_writes_is_an_alarm_and_no_more(
    places: Places, start: Callable[..., tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def write(self, *_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

    store(places, "node7")
    monkeypatch.setattr(last_good, "LiveFiles", Full)
    (alarm,) = start(network=part(named))
    assert "No space left on device" in alarm
    assert hostname(places) == "node7"


@pytest.mark.parametrize("text", ["", "{", '{"format": 1}', '{"format": 1, "plugins": {"a": [{}]}}', "[]"])
def test_a_damaged_record_of_the_last_good_start_is_an_alarm(
    places: Places, start: Callable[..., tuple[str, ...]], text: str
) -> None:
    store(places, "node7")
    (places.config / "last-good.json").write_text(text)
    (alarm,) = start(network=part(named))
    assert "last-good.json is damaged" in alarm
    assert start(network=part(named)) == ()


def test_the_last_good_start_comes_back_without_a_plugin(
    places: Places, start: Callable[..., tuple[str, ...]]
) -> None:
    with pytest.raises(NoLastGoodError):
        boot_last_good(places)
    store(places, "node7")
    start(network=part(named), motd=part(lambda _: [LOCALTIME]))
    root = places.root.parent / "other"
    (root / "var/log").mkdir(parents=True)
    again = replace(places, root=root)
    assert boot_last_good(again) == ()
    assert (root / "etc/hostname").read_text() == "node7"
    assert str((root / "etc/localtime").readlink()) == "../usr/share/zoneinfo/UTC"
    assert (root / "etc/systemd/journald.conf.d").exists()
    assert source(places) == "last-good"


def test_kept_files_that_make_trouble_keep_nobody_away(
    places: Places, start: Callable[..., tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trouble(*_: Any, **__: Any) -> tuple[str, ...]:
        raise RuntimeError("a bug")

    store(places, "node7")
    (places.config / "kept").mkdir()
    monkeypatch.setattr("node.persist.kept.restore", trouble)
    (alarm,) = start(network=part(named))
    assert alarm == "kept files could not be put back: RuntimeError: a bug"
    assert hostname(places) == "node7"


def test_a_damaged_host_key_is_named_and_left_out(
    places: Places, start: Callable[..., tuple[str, ...]]
) -> None:
    store(places, "node7")
    (places.config / "ssh").mkdir()
    (places.config / "ssh/ssh_host_ed25519_key").write_text("")
    (alarm,) = start(network=part(named))
    assert "ssh_host_ed25519_key is damaged" in alarm
    assert not (places.root / "etc/ssh/ssh_host_ed25519_key").exists()


def test_what_lets_people_in_is_kept_for_the_shell() -> None:
    files = [
        RenderedFile("/etc/passwd", "admin:x:1000:1000::/home/admin:/bin/bash\n", append=True),
        RenderedFile("/etc/motd", "hello\n"),
        RenderedFile("/etc/sudoers.d/90-nodecrust", "admin ALL\n", mode=0o440),
        RenderedFile("/etc/ssh/a link", target="elsewhere"),
    ]
    assert access_text(files) == (
        "append 0644 /etc/passwd\n admin:x:1000:1000::/home/admin:/bin/bash\n"
        "file 0440 /etc/sudoers.d/90-nodecrust\n admin ALL\n"
    )
