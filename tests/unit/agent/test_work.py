"""Devices that go and come, in the order in which networkd needs it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from node.agent import work as work_module
from node.agent.changes import FileChange
from node.agent.places import Places
from node.agent.work import Put, Work, backward, forward, link_names, perform, perform_as_far_as_possible
from node.errors import CommandFailedError, NodeError
from node.model.inventory import Nic
from node.model.netplan import to_yaml
from node.model.system import Completed
from node.system.snapshots import Snapshot
from tests.unit.agent.desk import GENERATE, NETPLAN, RELOAD


class Networkd:
    """Removes a device when asked, and makes it again at the reload of a number."""

    def __init__(self, net: Path, *, makes_at: int, device: str = "bond0") -> None:
        self.net, self.makes_at, self.device = net, makes_at, device
        self.ran: list[tuple[str, ...]] = []

    def run(self, argv, **_):
        words = tuple(str(word) for word in argv)
        self.ran.append(words)
        if words[:3] == ("ip", "link", "delete"):
            (self.net / words[-1]).rmdir()
        if words == RELOAD and self.ran.count(RELOAD) == self.makes_at:
            (self.net / self.device).mkdir()
        return Completed(words, 0, "", "")


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(work_module, "_NOTICE_S", 0.0)
    monkeypatch.setattr(work_module, "_MAKING_S", 0.0)
    for name in ("a", "bond0"):
        (tmp_path / "net" / name).mkdir(parents=True)
    return tmp_path / "net"


def change(old: str, new: str) -> FileChange:
    def text(mode: str) -> Snapshot:
        bond = {"interfaces": ["a"], "parameters": {"mode": mode}}
        document = {"bonds": {"bond0": bond}} if mode else {}
        contents = to_yaml({"version": 2, "ethernets": {"a": {}}, **document}).encode()
        return Snapshot(contents, owner=os.getuid(), group=os.getgid())

    return FileChange(NETPLAN, text(old), text(new), (GENERATE, RELOAD), (GENERATE, RELOAD), on_trial=True)


def work(old: str, new: str, net: Path) -> Work:
    found = forward([change(old, new)], (), link_names(net))
    return Work((), found.stale_devices, found.commands, found.lower_links, found.awaited)


def test_a_networkd_that_missed_the_loss_is_asked_again(net: Path, tmp_path: Path) -> None:
    networkd = Networkd(net, makes_at=2)
    perform(work("802.3ad", "balance-rr", net), Places(root=tmp_path, run=tmp_path, net=net), networkd)
    assert networkd.ran == [
        ("ip", "link", "delete", "dev", "bond0"),
        GENERATE,
        RELOAD,
        ("networkctl", "reconfigure", "a"),
        RELOAD,
        ("networkctl", "reconfigure", "a"),
    ]


def test_a_device_that_does_not_come_back_is_a_failure(net: Path, tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="bond0 did not come back"):
        perform(
            work("802.3ad", "balance-rr", net),
            Places(root=tmp_path, run=tmp_path, net=net),
            Networkd(net, makes_at=0),
        )


def test_one_that_was_not_there_before_is_not_waited_for(net: Path, tmp_path: Path) -> None:
    (net / "bond0").rmdir()
    networkd = Networkd(net, makes_at=0)
    perform(work("802.3ad", "balance-rr", net), Places(root=tmp_path, run=tmp_path, net=net), networkd)
    assert networkd.ran == [GENERATE, RELOAD, ("networkctl", "reconfigure", "a")]


def test_one_that_is_no_longer_wanted_goes(net: Path, tmp_path: Path) -> None:
    networkd = Networkd(net, makes_at=0)
    perform(work("802.3ad", "", net), Places(root=tmp_path, run=tmp_path, net=net), networkd)
    reconfigure = ("networkctl", "reconfigure", "a")
    assert networkd.ran == [("ip", "link", "delete", "dev", "bond0"), GENERATE, RELOAD, reconfigure]


def test_a_real_card_is_never_removed(net: Path, tmp_path: Path) -> None:
    (net / "bond0/device").mkdir()
    networkd = Networkd(net, makes_at=0)
    perform(work("802.3ad", "balance-rr", net), Places(root=tmp_path, run=tmp_path, net=net), networkd)
    assert not [argv for argv in networkd.ran if argv[0] == "ip"]


def test_a_card_has_its_new_name_before_networkd_reads_the_files_and_its_old_one_after_the_way_back(
    net: Path, tmp_path: Path
) -> None:
    class Renaming(Networkd):
        def run(self, argv, **_):
            if tuple(argv[:3]) == ("ip", "link", "set"):
                (self.net / argv[4]).rename(self.net / argv[6])
            return super().run(argv)

    def text(one: dict[str, object]) -> Snapshot:
        contents = to_yaml(
            {"version": 2, "ethernets": {"x": {"match": {"macaddress": "52:54:00:00:00:01"}, **one}}}
        )
        return Snapshot(contents.encode(), owner=os.getuid(), group=os.getgid())

    live = (GENERATE, RELOAD)
    asked = FileChange(NETPLAN, text({}), text({"set-name": "lan"}), live, live, on_trial=True)
    nics = [Nic(name="a", mac="52:54:00:00:00:01")]
    networkd, places = Renaming(net, makes_at=0), Places(root=tmp_path, run=tmp_path, net=net)
    way, back = forward([asked], nics, link_names(net)), backward([asked], nics, link_names(net))
    rename = ("ip", "link", "set", "dev")
    perform(way, places, networkd)
    assert networkd.ran == [(*rename, "a", "name", "lan"), GENERATE, RELOAD]
    networkd.ran.clear()
    for _ in range(2):  # the second time there is nothing to rename
        assert perform_as_far_as_possible(Work.from_data(back.to_data()), places, networkd) == ()
    assert networkd.ran == [(*rename, "lan", "name", "a"), *live, *live]


def test_the_way_back_waits_too_and_names_what_is_missing(net: Path, tmp_path: Path) -> None:
    found = backward([change("802.3ad", "balance-rr")], (), link_names(net))
    again = Work.from_data(found.to_data())
    assert again == found
    failures = perform_as_far_as_possible(
        again, Places(root=tmp_path, run=tmp_path, net=net), Networkd(net, makes_at=0)
    )
    assert failures == ("bond0 did not come back",)
    assert "802.3ad" in (tmp_path / NETPLAN.lstrip("/")).read_text()


def test_the_list_of_rendered_files_follows(net: Path, tmp_path: Path) -> None:
    places = Places(root=tmp_path, run=tmp_path, net=net)
    places.rendered.write_text(json.dumps({"paths": ["/etc/a", "/etc/b"], "source": "current"}))
    files = (Put("/etc/b", Snapshot(), rendered=False), Put("/etc/c", Snapshot(b"c"), rendered=True))
    owned = tuple(
        replace(one, snapshot=replace(one.snapshot, owner=os.getuid(), group=os.getgid())) for one in files
    )
    perform(Work(owned), places, Networkd(net, makes_at=0))
    assert json.loads(places.rendered.read_text()) == {"paths": ["/etc/a", "/etc/c"], "source": "current"}
    assert places.rendered.stat().st_mtime_ns >= (tmp_path / "etc/c").stat().st_mtime_ns


def test_a_device_that_stays_although_it_should_go_is_a_failure(net: Path, tmp_path: Path) -> None:
    class Busy(Networkd):
        def run(self, argv, **_):
            raise CommandFailedError("ip failed", argv=argv, status=2)

    with pytest.raises(CommandFailedError):
        perform(work("802.3ad", "", net), Places(root=tmp_path, run=tmp_path, net=net), Busy(net, makes_at=0))
