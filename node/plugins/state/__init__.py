"""Writes what outlives the install to CONFIG, and records there, last of all, that it is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from node.hookspecs import Target, hookimpl
from node.model.answers import Answers
from node.model.install import InstallAnswers
from node.model.inventory import Inventory
from node.model.layout import Layout, Role
from node.model.state import State
from node.model.step import PlannedStep
from node.persist.store import state_to_text
from node.plugins.state.steps import KeepLog, RecordInstall, RetireInstalls, WriteState

INSTALL_LOG = Path("/run/node/install.log")


@hookimpl
def node_plan(answers: Answers, inventory: Inventory, target: Target) -> list[PlannedStep]:
    """Write the state, keep the log, record the installation; nothing where the layout has no CONFIG."""
    config = target.layout.get(Role.CONFIG)
    if config is None:
        return []
    write = WriteState(
        document=state_to_text(installed_state(answers, inventory, target)),
        keep=config.keep,
        said=answers.said() if config.keep else (),
        secrets=tuple(sorted(secrets(answers))),
        at=target.started_at,
    )
    record = RecordInstall(
        install_id=target.install_id,
        reinstall=answers[InstallAnswers].reinstall,
        image_version=inventory.image.version,
        sha256=inventory.image.sha256,
        at=target.started_at,
    )
    # In the phase "mount", after CONFIG's own: before anything new could make the disk look finished.
    retire = [PlannedStep("mount", RetireInstalls(), "state")] if config.keep else []
    return [
        *retire,
        PlannedStep("configure", write, "state"),
        PlannedStep("record", KeepLog(INSTALL_LOG), "state"),
        PlannedStep("record", record, "state"),
    ]


def installed_state(answers: Answers, inventory: Inventory, target: Target) -> State:
    """Give the state of the node to be: its persistent answers, and what was installed where."""
    return State(
        install={
            "id": target.install_id,
            "image": {"version": inventory.image.version, "sha256": inventory.image.sha256},
            "at": target.started_at,
            "layout": layout_record(target.layout),
            # Of two disks with a CONFIG the initrd takes the one that was installed here (config.sh).
            **({"machine": uuid} if (uuid := inventory.firmware.product_uuid) else {}),
        },
        sections=answers.persistent(),
        section_versions=answers.section_versions(),
    )


def layout_record(layout: Layout) -> list[dict[str, str]]:
    """Give a layout as the state's `install.layout` has it, from which /etc/fstab is made at every boot."""
    return [
        {
            "role": partition.role.value,
            "partuuid": str(partition.uuid),
            "filesystem": partition.filesystem,
            "uuid": partition.filesystem_uuid,
        }
        for partition in layout.partitions
    ]


def secrets(answers: Answers) -> set[str]:
    """Give every secret text of the answers, so that no error that quotes one shows it."""
    found: set[str] = set()
    for section in answers.sections.values():
        data = section.model_dump(mode="json")
        for key in section.secret:
            found.update(_texts(data, key.split(".")))
    return found


def _texts(value: Any, keys: list[str]) -> Iterator[str]:
    """Give the texts at a dotted key of plain data; all below it where the key ends early."""
    if isinstance(value, list):
        for each in value:
            yield from _texts(each, keys)
    elif isinstance(value, dict):
        chosen = [value[keys[0]]] if keys and keys[0] in value else [] if keys else list(value.values())
        for each in chosen:
            yield from _texts(each, keys[1:])
    elif isinstance(value, str) and value and not keys:
        yield value
