"""Composes what a round of registration needs of this node: plugins, the desk, the machine, the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from node.agent.configuration import Sections
from node.agent.facts import facts_of
from node.agent.happenings import condition_of, looked, read_happenings, told, write_happenings
from node.agent.health import ask_checks
from node.agent.registration import Named, Post, Round
from node.agent.trial import uptime_s
from node.cli.config_desk import CONFIG, Office
from node.errors import InputError, NodeError
from node.installer.document import read_document
from node.model.problem import errors
from node.model.registration import Around, Backend, Happening
from node.model.state import State
from node.model.status import NodeStatus
from node.model.system import Commands
from node.plugin_manager import Plugins
from node.system.files import LiveFiles
from node.system.probe import take_inventory
from node.system.probe.processor_list import list_processors
from node.system.status import read_status
from node.system.status_inventory import quick_inventory

FOLDER = CONFIG / "registration"
UNIT = "nodecrust-register"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SYSTEMD = Path("/run/systemd/system")
_LEAST_S, _MOST_S = 2, 3600


def open_post(office: Office) -> Post:
    """Look at the node, keep what happened to it, and give what a round needs."""
    commands = office.desk.commands
    # Says so where this machine keeps nothing, before anything is written.
    office.desk.read()
    status = read_status(commands)
    happenings = _look(office, status)
    inventory = quick_inventory(commands, libvirt=False)

    def around(backend: Backend, state: State) -> Around:
        return Around(
            state=state,
            inventory=inventory,
            folder=FOLDER / backend.name,
            commands=commands,
            files=LiveFiles(),
            facts=lambda: take_facts(office.plugins, status),
            happenings=happenings,
            condition=condition_of(status),
            boot_id=_boot_id(),
            uptime_s=uptime_s(),
        )

    return Post(
        desk=office.desk,
        config=CONFIG,
        backends=lambda state: backends_of(office.plugins, state),
        around=around,
        read=read_sections,
        uptime_s=uptime_s,
    )


def backends_of(plugins: Plugins, state: State) -> tuple[Named, ...]:
    """Give the backends that plugins have for a state; of two with one name the first one stands."""
    found: dict[str, Named] = {}
    for answered in plugins.call("node_register", state=state):
        for backend in answered.value or ():
            name = getattr(backend, "name", None)
            if not isinstance(name, str) or not name.replace("-", "").isalnum():
                raise NodeError(f"plugin {answered.plugin} gave in node_register what is no backend")
            found.setdefault(name, Named(answered.plugin, backend))
    return tuple(found.values())


def take_facts(plugins: Plugins, status: NodeStatus) -> dict[str, Any]:
    """Take the whole inventory and give the facts, plugins' own included."""
    inventory = take_inventory()
    own: dict[str, Any] = dict(inventory.facts)
    already = len(plugins.problems)
    for answered in plugins.call("node_probe", inventory=inventory):
        if answered.value:
            own[answered.plugin] = answered.value
    checks = ask_checks(plugins, inventory)
    own.update({problem.owner: {"fault": problem.what} for problem in plugins.problems[already:]})
    del plugins.problems[already:]
    return facts_of(inventory, status, list_processors(), own, checks)


def read_sections(document: str) -> Sections:
    """Make sections of a document from a server; InputError with every problem of its form."""
    layer, problems = read_document(document.encode(), name="the server's configuration")
    if errors(problems):
        raise InputError("it can't be read", problems=problems)
    values: Mapping[str, Any] = {key: value for key, value in layer.values.items() if key != "version"}
    return {key: {} if value is None else value for key, value in values.items()}


def keep_told(done: Round) -> None:
    """Forget the happenings that every server has heard of."""
    files = LiveFiles()
    before = read_happenings(FOLDER, files)
    after = told(before, done.heard)
    if after != before:
        _write(after)


def arm_next(next_s: float | None, commands: Commands) -> None:
    """Have systemd begin the next round in time; quiet where it can't."""
    if not _SYSTEMD.exists():
        return
    commands.run(["systemctl", "stop", f"{UNIT}.timer"], check=False)
    if next_s is None:
        return
    seconds = min(max(round(next_s), _LEAST_S), _MOST_S)
    argv = ["systemd-run", "--quiet", f"--unit={UNIT}.service", "--timer-property=AccuracySec=1s"]
    # The second one for a timer that elapses while this round is not over yet: that starts nothing, and no
    # round would ever follow.
    commands.run([*argv, f"--on-active={seconds}s", f"--on-unit-inactive={seconds}s"], check=False)


def _look(office: Office, status: NodeStatus) -> Sequence[Happening]:
    before = read_happenings(FOLDER, LiveFiles())
    after = looked(before, status, office.history(), boot_id=_boot_id(), now=datetime.now(UTC))
    if after != before:
        _write(after)
    return after.kept


def _write(happenings: Any) -> None:
    try:
        write_happenings(FOLDER, LiveFiles(), happenings)
    except OSError as error:
        raise NodeError(
            f"what happened can't be kept on CONFIG: {error.strerror or error}", mend="See nodectl status"
        ) from None


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
