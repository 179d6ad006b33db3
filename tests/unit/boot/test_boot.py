"""nodectl boot: from a stored state to files of a root, whatever a plugin does."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node.boot import boot as boot_module
from node.boot import rendering
from node.boot.alarms import read_alarms
from node.boot.boot import NetworkNotRenderedError, boot
from node.boot.places import Places
from node.boot.root_files import merged, write_file
from node.hookspecs import hookimpl
from node.model.state import RenderedFile, State
from node.persist.store import write_state
from node.plugin_manager import Plugins

ME = str(os.getuid())
NETPLAN = RenderedFile("/etc/netplan/90-nodecrust.yaml", "network: {}\n", 0o600, ME, ME)
HOSTNAME = RenderedFile("/etc/hostname", "# none\n", owner=ME, group=ME)


def plugin(render: Callable[[State], Any]) -> SimpleNamespace:
    @hookimpl
    def node_render(state: State) -> Any:
        return render(state)

    return SimpleNamespace(node_render=node_render)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("root/etc", "root/var/log/libvirt/qemu", "config/ssh", "net/ens3/device", "net/lo"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "cmdline").write_text("quiet\n")
    (tmp_path / "net/ens3/type").write_text("1\n")
    (tmp_path / "net/ens3/address").write_text("52:54:00:12:34:56\n")
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
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def load(**by_name: Any) -> None:
        plugins = Plugins()
        for name, one in by_name.items():
            plugins.add(name, lambda one=one: one)
        monkeypatch.setattr(boot_module, "load_plugins", lambda: plugins)
        # What the state of an installed node brings is root's; here it is ours.
        monkeypatch.setattr("node.boot.root_files._number", lambda *_: int(ME))

    return load


def test_the_state_becomes_files(places: Places, use: Callable[..., None]) -> None:
    state = State(sections={"network": {"hostname": "node7"}})
    write_state(places.config, state, reason="test", at=datetime.now(UTC))
    (places.config / "ssh/ssh_host_ed25519_key").write_text("secret\n")
    (places.config / "ssh/ssh_host_ed25519_key.pub").write_text("public\n")

    def hostname(state: State) -> list[RenderedFile]:
        return [NETPLAN, RenderedFile("/etc/hostname", state.sections["network"]["hostname"])]

    use(network=plugin(hostname))
    assert boot(places) == ()
    etc = places.root / "etc"
    assert (etc / "hostname").read_text() == "node7"
    assert (etc / "netplan/90-nodecrust.yaml").stat().st_mode & 0o777 == 0o600
    assert (etc / "ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600
    assert (etc / "ssh/ssh_host_ed25519_key.pub").stat().st_mode & 0o777 == 0o644
    assert "Storage=persistent" in (etc / "systemd/journald.conf.d/50-nodecrust.conf").read_text()
    assert "d /var/log/libvirt/qemu 0755" in (etc / "tmpfiles.d/nodecrust-var-log.conf").read_text()
    assert read_alarms(places.run / "alarms") == []


def test_without_a_state_a_node_is_named_by_its_card(places: Places, use: Callable[..., None]) -> None:
    named: list[str] = []
    places = replace(places, set_host_name=named.append)
    use(network=plugin(lambda _: [NETPLAN, HOSTNAME]))
    boot(places)
    assert named == ["node-525400123456"]
    assert not (places.root / "etc/systemd/journald.conf.d").exists()
    places.cmdline.write_text("BOOTIF=01-52-54-00-AA-BB-CC quiet")
    boot(places)
    assert named[1:] == ["node-525400aabbcc"]
    use(network=plugin(lambda _: [NETPLAN, replace(HOSTNAME, contents="node7\n")]))
    boot(places)
    assert len(named) == 2
    (places.run / "hostname").write_text("node8\n")
    use(network=plugin(lambda _: [NETPLAN, HOSTNAME]))
    boot(places)
    assert named[2:] == ["node8"]


def test_a_network_on_the_kernel_command_line_stands(places: Places, use: Callable[..., None]) -> None:
    places.network.mkdir()
    (places.network / "70-nodecrust-early-ens3.network").write_text("")
    use(network=plugin(lambda _: [NETPLAN, HOSTNAME]))
    assert boot(places) == ()
    assert not (places.root / "etc/netplan").exists()
    # A stored configuration has a network of its own.
    write_state(places.config, State(), reason="test", at=datetime.now(UTC))
    boot(places)
    assert (places.root / "etc/netplan/90-nodecrust.yaml").exists()


def _hang(_: State) -> list[RenderedFile]:
    while True:
        try:
            time.sleep(30)
        except Exception:
            if time.monotonic() > _hang_until[0]:
                raise
            continue


_hang_until = [0.0]


def _generator(_: State) -> Any:
    yield HOSTNAME
    raise RuntimeError("late")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda _: 1 / 0, "plugin bad: failed in node_render: ZeroDivisionError"),
        (_generator, "plugin bad: failed in node_render: RuntimeError: late"),
        (lambda _: ["/etc/passwd"], "plugin bad: node_render gave str"),
        (lambda _: 7, "plugin bad: "),
        (lambda _: [RenderedFile("etc/x")], "which is not an absolute one"),
        (lambda _: [RenderedFile("/etc/../../x")], "which is not an absolute one"),
        (_hang, "plugin bad: failed in node_render: TooLongError: it took longer than 0.2 s"),
    ],
)
def test_a_bad_plugin_costs_only_itself(
    places: Places, use: Callable[..., None], monkeypatch: pytest.MonkeyPatch, bad: Any, words: str
) -> None:
    monkeypatch.setattr(rendering, "PLUGIN_TIMEOUT_S", 0.2)
    _hang_until[0] = time.monotonic() + 1.0
    use(bad=plugin(bad), network=plugin(lambda _: [NETPLAN]))
    alarms = boot(places)
    assert (places.root / "etc/netplan/90-nodecrust.yaml").exists()
    assert len(alarms) == 1
    assert words in alarms[0]
    assert read_alarms(places.run / "alarms") == list(alarms)


def test_no_network_is_an_error_after_all_else_was_written(places: Places, use: Callable[..., None]) -> None:
    use(network=plugin(lambda _: 1 / 0), other=plugin(lambda _: [RenderedFile("/etc/other", "x")]))
    with pytest.raises(NetworkNotRenderedError) as caught:
        boot(places)
    assert "plugin network" in caught.value.details
    assert (places.root / "etc/other").exists()


def test_a_broken_state_that_has_no_other_is_an_alarm_and_defaults(
    places: Places, use: Callable[..., None]
) -> None:
    (places.config / "node.yaml").write_text("version: [")
    use(network=plugin(lambda _: [NETPLAN, HOSTNAME]))
    (alarm,) = boot(places)
    assert "the node starts with defaults" in alarm
    # An installed node all the same.
    assert (places.root / "etc/systemd/journald.conf.d").exists()


@pytest.mark.parametrize(
    ("source", "mounted", "lost"), [("slot", True, True), ("slot", False, False), ("url", True, False)]
)
def test_a_config_that_lost_all_on_the_node_s_own_disk_is_an_alarm(
    places: Places, use: Callable[..., None], source: str, mounted: bool, lost: bool
) -> None:
    # Without CONFIG mounted the initrd has said so, or the layout has none.
    places.run.mkdir()
    (places.run / "image.json").write_text(json.dumps({"source": source}))
    if mounted:
        (places.run / "config-device").write_text("/dev/vda7\n")
    use(network=plugin(lambda _: [NETPLAN, HOSTNAME]))
    alarms = boot(places)
    assert alarms == (
        ("CONFIG holds no configuration any more; the node starts with defaults",) if lost else ()
    )


def test_the_built_in_plugins_render_a_default_state(places: Places) -> None:
    found = rendering.render(rendering.load_plugins(), State())
    assert found.failures == ()
    assert any(file.path.startswith("/etc/netplan/") for file in found.files)


def test_a_file_of_an_owner_that_the_image_lacks_is_refused(places: Places) -> None:
    with pytest.raises(LookupError, match="'nobody-here' in /etc/passwd"):
        write_file(places.root, RenderedFile("/etc/x", owner="nobody-here"))
    assert not (places.root / "etc/x").exists()


def test_a_symlink_of_the_image_is_replaced_not_followed(places: Places) -> None:
    outside = places.root.parent / "outside"
    outside.write_text("keep\n")
    (places.root / "etc/localtime").symlink_to(outside)
    write_file(places.root, RenderedFile("/etc/localtime", "new\n", owner=ME, group=ME))
    assert outside.read_text() == "keep\n"
    write_file(places.root, RenderedFile("/etc/localtime", target="../usr/share/zoneinfo/UTC"))
    assert str((places.root / "etc/localtime").readlink()) == "../usr/share/zoneinfo/UTC"


def test_appended_lines_replace_those_of_the_same_name() -> None:
    image = "root:*:1::::::\ndaemon:*:1::::::\n"
    assert merged(image, "root:$y$x:2::::::\nadmin:*::::::\n") == (
        "root:$y$x:2::::::\ndaemon:*:1::::::\nadmin:*::::::\n"
    )
