"""Changing a living node: checked first, written atomically, brought into force, or all taken back."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from node.agent import configuration, lock, work
from node.agent.configuration import Rendered, carry_out, confirm, propose, take_back
from node.agent.lock import exclusive
from node.agent.trial import last_end, read_trial
from node.errors import CommandFailedError, InputError, NodeError, TryAgainError
from node.model.state import RenderedFile, State
from node.persist.store import history
from tests.unit.agent.desk import GENERATE, NETPLAN, RELOAD, Node, argvs, render, setting


def bond(mode: str) -> dict[str, Any]:
    definition = {"interfaces": ["a", "b"], "parameters": {"mode": mode}}
    return {"ethernets": {"a": {}, "b": {}}, "bonds": {"bond0": definition}}


BOND, OTHER = bond("active-backup"), bond("802.3ad")
TIMER = ("systemd-run", "--quiet", "--unit=nodecrust-trial.service", "--on-active=60s")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setattr(work, "_NOTICE_S", 0.0)
    node = Node(tmp_path)
    node.install(hostname="node1", netplan=BOND)
    return node


def failed(program: str) -> CommandFailedError:
    return CommandFailedError(f"{program} failed", argv=[program], status=1, details="its last words")


class FailOnce:
    """Fails a program the first time it is run."""

    def __init__(self, node: Node, *argv: str) -> None:
        self.run_ = node.system.commands.run
        self.argv = argv
        self.done = False

    def run(self, argv, **options):
        if tuple(argv)[: len(self.argv)] == self.argv and not self.done:
            self.done = True
            raise failed(self.argv[0])
        return self.run_(argv, **options)


def test_a_change_is_stored_written_and_brought_into_force(node: Node) -> None:
    proposal = propose(node.desk, setting(hostname="node2", dns=["192.0.2.1"]))
    assert "-  hostname: node1\n+  hostname: node2\n" in proposal.difference
    assert node.stored.sections["network"]["hostname"] == "node1"
    assert carry_out(node.desk, proposal, reason="test", timeout_s=60) is None
    assert node.stored.sections["network"] == {"hostname": "node2", "netplan": BOND, "dns": ["192.0.2.1"]}
    assert node.text("/etc/hostname") == "node2\n"
    assert node.text("/etc/dns.conf") == "DNS=192.0.2.1\n"
    assert node.ran == [("hostnamectl", "hostname", "node2"), ("systemctl", "restart", "resolved"), RELOAD]
    assert history(node.config)[0].reason == "test"
    assert node.settled == [node.stored]


def test_what_is_no_longer_rendered_goes_or_is_the_image_s_again(node: Node) -> None:
    carry_out(
        node.desk, propose(node.desk, setting(dns=["192.0.2.1"], zone="here")), reason="t", timeout_s=60
    )
    (node.places.image / "etc/zone").write_text("image\n")
    proposal = propose(node.desk, setting(dns=[], zone=""))
    carry_out(node.desk, proposal, reason="t", timeout_s=60)
    assert node.text("/etc/dns.conf") is None
    assert node.text("/etc/zone") == "image\n"
    assert proposal.at_restart == ("/etc/zone",)
    # What brought it into force lets it go, too.
    assert argvs(node.ran, "systemctl") == [("systemctl", "restart", "resolved")] * 2


def test_a_wrong_change_is_refused_and_nothing_is_touched(node: Node) -> None:
    with pytest.raises(InputError) as caught:
        propose(node.desk, setting(hostname=["a"]))
    assert [problem.where for problem in caught.value.problems] == ["network"]
    assert node.ran == []


def test_nothing_to_change_is_nothing(node: Node) -> None:
    assert propose(node.desk, setting(hostname="node1")).is_empty
    assert propose(node.desk, lambda sections: sections, thorough=True).is_empty


def test_what_was_changed_by_hand_is_only_mended_when_asked(node: Node) -> None:
    (node.places.root / "etc/netplan/90-nodecrust.yaml").write_text("network: {}\n")
    assert [change.path for change in propose(node.desk, setting(hostname="n")).changes] == ["/etc/hostname"]
    proposal = propose(node.desk, lambda sections: sections, thorough=True)
    assert [change.path for change in proposal.changes] == [NETPLAN]
    assert proposal.needs_trial


def test_a_command_that_fails_takes_everything_back(node: Node) -> None:
    node.desk.commands.run = FailOnce(node, "systemctl", "restart").run  # type: ignore[method-assign]
    with pytest.raises(NodeError, match="was taken back: systemctl failed") as caught:
        carry_out(node.desk, propose(node.desk, setting(hostname="x", dns=["1"])), reason="t", timeout_s=60)
    assert caught.value.exit_code == 1
    assert "its last words" in caught.value.details
    assert node.stored.sections["network"]["hostname"] == "node1"
    assert node.text("/etc/hostname") == "node1\n"
    assert node.text("/etc/dns.conf") is None
    assert argvs(node.ran, "hostnamectl")[-1] == ("hostnamectl", "hostname", "node1")


def test_a_change_that_failed_is_no_version_that_a_rollback_finds(node: Node) -> None:
    carry_out(node.desk, propose(node.desk, setting(zone="here")), reason="before", timeout_s=60)
    node.desk.commands.run = FailOnce(node, "systemctl", "restart").run  # type: ignore[method-assign]
    with pytest.raises(NodeError, match="was taken back"):
        carry_out(node.desk, propose(node.desk, setting(dns=["1"])), reason="a long one " * 40, timeout_s=60)
    assert [(each.reason, each.current) for each in history(node.config)] == [
        ("before", True),
        ("installed", False),
    ]


def test_a_state_that_cannot_be_written_leaves_all_as_it_was(node: Node) -> None:
    proposal = propose(node.desk, setting(hostname="x"))

    def full(*_: object) -> None:
        raise NodeError("CONFIG is full")

    object.__setattr__(node.desk, "write", full)
    with pytest.raises(NodeError, match="CONFIG is full"):
        carry_out(node.desk, proposal, reason="t", timeout_s=60)
    assert node.text("/etc/hostname") == "node1\n"
    assert node.ran == []


@pytest.mark.parametrize("moment", ["arm", "write_trial"])
def test_a_death_before_the_first_change_leaves_no_trial(
    node: Node, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(configuration, moment, dies)
        with pytest.raises(Killed):
            carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    assert read_trial(node.places.run) is None
    assert take_back(node.places, node.system.commands, why="") is None
    assert carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)


def test_a_change_that_could_not_be_stored_is_not_even_tried(node: Node) -> None:
    def full(_: State) -> None:
        raise NodeError("CONFIG is full")

    object.__setattr__(node.desk, "try_room", full)
    with pytest.raises(NodeError, match="CONFIG is full"):
        carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    assert "active-backup" in str(node.text(NETPLAN))
    assert node.ran == []


def test_a_change_between_is_noticed(node: Node) -> None:
    first, second = propose(node.desk, setting(hostname="x")), propose(node.desk, setting(hostname="y"))
    carry_out(node.desk, first, reason="t", timeout_s=60)
    with pytest.raises(TryAgainError, match="changed meanwhile"):
        carry_out(node.desk, second, reason="t", timeout_s=60)


def test_a_file_that_another_program_changes_between_is_not_undone(node: Node) -> None:
    proposal = propose(node.desk, setting(hostname="x"))
    (node.places.root / "etc/hostname").write_text("by another\n")
    with pytest.raises(TryAgainError, match="/etc/hostname was changed meanwhile"):
        carry_out(node.desk, proposal, reason="t", timeout_s=60)
    assert node.text("/etc/hostname") == "by another\n"
    assert node.stored.sections["network"]["hostname"] == "node1"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_half_done(node: Node, number: signal.Signals) -> None:
    run = node.system.commands.run

    def interrupted(argv, **options):
        signal.raise_signal(number)
        return run(argv, **options)

    node.desk.commands.run = interrupted  # type: ignore[method-assign]
    before = signal.getsignal(number)
    carry_out(node.desk, propose(node.desk, setting(hostname="x", dns=["1"])), reason="t", timeout_s=60)
    assert node.ran[-1] == RELOAD
    assert signal.getsignal(number) == before


def test_the_way_back_outwaits_a_slow_change(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    times = iter(range(0, 1000, 60))
    monkeypatch.setattr(lock.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(lock.time, "sleep", lambda _: slow.close())
    with ExitStack() as slow:
        slow.enter_context(exclusive(node.places.run))
        assert take_back(node.places, node.system.commands, why="") == ()


def test_two_commands_exclude_each_other(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = propose(node.desk, setting(hostname="x"))
    monkeypatch.setattr(lock, "WAIT_S", 0.0)
    with exclusive(node.places.run), pytest.raises(TryAgainError, match="another command"):
        carry_out(node.desk, proposal, reason="t", timeout_s=60)
    assert node.stored.sections["network"]["hostname"] == "node1"


def test_a_network_change_is_armed_before_anything_and_stored_only_when_confirmed(node: Node) -> None:
    node.devices("bond0", "a", "b")
    proposal = propose(node.desk, setting(netplan=OTHER))
    trial = carry_out(node.desk, proposal, reason="t", timeout_s=60)
    assert trial is not None
    assert node.stored.sections["network"]["netplan"] == BOND
    assert "802.3ad" in str(node.text(NETPLAN))
    order = [argv for argv in node.ran if argv[0] != "systemctl"]
    assert order == [
        (*TIMER, "--timer-property=AccuracySec=100ms"),
        ("ip", "link", "delete", "dev", "bond0"),
        GENERATE,
        RELOAD,
        ("networkctl", "reconfigure", "a", "b"),
    ]
    with pytest.raises(TryAgainError, match="on trial"):
        carry_out(node.desk, propose(node.desk, setting(hostname="x")), reason="t", timeout_s=60)
    assert node.settled == []
    confirm(node.desk)
    assert node.stored.sections["network"]["netplan"] == OTHER
    assert node.settled == [node.stored]
    assert [a for a in node.ran if "stop" in a][-1] == ("systemctl", "stop", "nodecrust-trial.timer")
    assert read_trial(node.places.run) is None
    with pytest.raises(InputError, match="no change is on trial"):
        confirm(node.desk)


def test_a_trial_that_nobody_confirms_is_taken_back(node: Node) -> None:
    node.devices("bond0", "a", "b")
    carry_out(node.desk, propose(node.desk, setting(netplan=OTHER, hostname="x")), reason="t", timeout_s=60)
    node.system.calls.clear()
    assert take_back(node.places, node.system.commands, why="was taken back") == ()
    assert "active-backup" in str(node.text(NETPLAN))
    assert node.text("/etc/hostname") == "node1\n"
    assert [argv for argv in node.ran if argv[0] in ("ip", "netplan", "networkctl")] == [
        ("ip", "link", "delete", "dev", "bond0"),
        GENERATE,
        RELOAD,
        ("networkctl", "reconfigure", "a", "b"),
    ]
    assert take_back(node.places, node.system.commands, why="") is None
    assert last_end(node.places.run) == "The last one (t) was taken back."
    with pytest.raises(InputError) as caught:
        confirm(node.desk)
    assert "was taken back" in caught.value.details


def test_a_timer_that_cannot_be_armed_forbids_the_change(node: Node) -> None:
    node.desk.commands.run = FailOnce(node, "systemd-run").run  # type: ignore[method-assign]
    with pytest.raises(NodeError, match="nothing was changed"):
        carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    assert "active-backup" in str(node.text(NETPLAN))
    assert read_trial(node.places.run) is None


@pytest.mark.parametrize("failing", [("netplan",), ("ip",), ("networkctl", "reconfigure")])
def test_a_network_change_that_fails_is_taken_back_at_once(node: Node, failing: tuple[str, ...]) -> None:
    node.devices("bond0", "a", "b")
    node.desk.commands.run = FailOnce(node, *failing).run  # type: ignore[method-assign]
    with pytest.raises(NodeError, match="was taken back"):
        carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    assert "active-backup" in str(node.text(NETPLAN))
    assert node.stored.sections["network"]["netplan"] == BOND
    assert read_trial(node.places.run) is None


def test_a_change_that_fails_both_ways_is_never_confirmed(node: Node) -> None:
    def run(argv, **options):
        if "networkctl" in argv:
            raise failed("networkctl")
        return node.system.commands.__class__.run(node.system.commands, argv, **options)

    node.desk.commands.run = run  # type: ignore[method-assign]
    with pytest.raises(NodeError, match="could not be taken back whole") as caught:
        carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    assert "taking it back: networkctl failed: its last words" in caught.value.details
    with pytest.raises(NodeError, match="could not be taken back whole"):
        confirm(node.desk)
    with pytest.raises(TryAgainError, match="failed"):
        carry_out(node.desk, propose(node.desk, setting(hostname="x")), reason="t", timeout_s=60)
    assert node.stored.sections["network"]["netplan"] == BOND


def test_a_way_back_that_fails_goes_on_and_stays_for_another_try(node: Node) -> None:
    carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    node.system.failing["commands.run"] = failed("netplan")
    failures = take_back(node.places, node.system.commands, why="")
    assert failures is not None
    assert len(failures) == 2
    assert "active-backup" in str(node.text(NETPLAN))
    with pytest.raises(NodeError, match="could not be taken back whole"):
        confirm(node.desk)
    assert node.stored.sections["network"]["netplan"] == BOND
    del node.system.failing["commands.run"]
    assert take_back(node.places, node.system.commands, why="") == ()


def test_without_a_trial_the_network_changes_at_once(node: Node) -> None:
    assert carry_out(node.desk, propose(node.desk, setting(netplan={})), reason="t", timeout_s=None) is None
    assert not argvs(node.ran, "systemd-run")
    assert "netplan" not in node.stored.sections["network"]


def test_a_plugin_that_cannot_render_the_new_state_forbids_it(tmp_path: Path) -> None:
    def fails(state: State) -> Rendered:
        name = state.sections["network"]["hostname"]
        failures = ("plugin old: always",) + (("plugin bad: no such name",) if name == "x" else ())
        return Rendered(render(state).files, failures)

    node = Node(tmp_path, fails)
    node.install(hostname="node1")
    with pytest.raises(NodeError, match="can't be rendered") as caught:
        propose(node.desk, setting(hostname="x"))
    assert caught.value.details == "plugin bad: no such name"
    assert propose(node.desk, setting(hostname="y")).warnings == ("plugin old: always",)


def test_an_owner_that_the_root_lacks_is_named(tmp_path: Path) -> None:
    def renders(state: State) -> Rendered:
        return Rendered((RenderedFile("/etc/x", "x", owner="nobody-here"),))

    node = Node(tmp_path, renders)
    node._write(State(sections={"network": {}}), "installed")
    with pytest.raises(NodeError, match="/etc/x can't be written: the image has no 'nobody-here'"):
        propose(node.desk, lambda sections: sections, thorough=True)


def test_the_record_of_a_trial_is_roots_alone(node: Node) -> None:
    carry_out(node.desk, propose(node.desk, setting(netplan=OTHER)), reason="t", timeout_s=60)
    folder = node.places.run / "trial"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "trial.json").stat().st_mode & 0o777 == 0o600


def test_what_udev_sets_on_a_card_counts_from_the_next_start_on(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.install(netplan={"ethernets": {"eth0": {"dhcp4": True}}})
    woken = {"ethernets": {"eth0": {"dhcp4": True, "wakeonlan": True}}}
    proposal = propose(node.desk, setting(netplan=woken))
    assert proposal.at_restart == (NETPLAN, "network.netplan.ethernets.eth0.wakeonlan")
    other = {"ethernets": {"eth0": {"dhcp4": False, "wakeonlan": True}}}
    proposal = propose(node.desk, setting(netplan=other))
    assert proposal.at_restart == ("network.netplan.ethernets.eth0.wakeonlan",)
