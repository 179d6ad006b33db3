"""Every hook, on one page: when it is called, what it gets and what it may give.

All hooks return data and change nothing; what acts is a step, which only the engine runs, or a backend of
registration, which only the agent calls. Arguments and results are serializable, so that a plugin can live
in another process.
"""

# A specification has no body.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import pluggy

from node.model.answers import Answers, Section
from node.model.inventory import Disk, Inventory
from node.model.layout import Layout
from node.model.problem import Problem
from node.model.registration import Backend
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep

PROJECT = "nodecrust"
# Brings a changed setting of a backend into force. No restart: the agent itself may be what changes it.
REGISTRATION_LIVE = (("systemctl", "--no-block", "start", "nodecrust-register.service"),)
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Support(IntEnum):
    """How well a plugin does something on this machine; the highest wins."""

    NONE = 0
    GENERIC = 1
    VENDOR = 2


@dataclass(frozen=True)
class LayoutProposal:
    """What `node_disk_layout` gives: a layout, or the problems that keep it from being one."""

    layout: Layout | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Target:
    """What the plan is for: where it goes and what it brings. `install_id` seeds every identifier.

    `kernel_args` is what `node_kernel_args` of all plugins gave, in order, for whoever writes the boot area.
    """

    layout: Layout
    install_id: str
    started_at: str
    kernel_args: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatusLine:
    """One line of `nodectl status`: a term, its value and whether all is well with it.

    `topic` is the console's page that it stands on (`registration`); those of a topic whose `term` is not the
    topic itself are left out of its first page, unless something is wrong.
    """

    term: str
    value: str
    healthy: bool = True
    topic: str = ""


class Hooks:
    """The specification."""

    @hookspec
    def node_sections(self) -> Sequence[Section]:
        """Offer sections of the answers. Called once, when the answers are read."""

    @hookspec
    def node_support(self, capability: str, inventory: Inventory) -> Support:
        """Say how well this plugin does, on this machine, what only one can do. Called before that.

        `capability` is `disk-layout`, which `node_disk_layout` does, or `boot-loader`, which `node_plan`
        does: a plugin that offers it and isn't chosen is not asked for steps. The highest support is chosen;
        of equals a built-in, then the first by name. Where the chosen one fails, the next is asked.
        """

    @hookspec
    def node_disk_layout(self, inventory: Inventory, answers: Answers, install_id: str) -> LayoutProposal:
        """Choose the disk and lay it out. Only who has the highest support for `disk-layout` is asked."""

    @hookspec
    def node_veto_disk(self, disk: Disk) -> Sequence[Problem]:
        """Name what forbids writing this disk. Called for each disk; a consent lifts what is found."""

    @hookspec
    def node_validate(self, answers: Answers, inventory: Inventory) -> Sequence[Problem]:
        """Name every problem of the answers on this machine, not the first. Called before planning."""

    @hookspec
    def node_plan(self, answers: Answers, inventory: Inventory, target: Target) -> Sequence[PlannedStep]:
        """Give the steps for a layout. Called once a layout stands."""

    @hookspec
    def node_kernel_args(self, answers: Answers, inventory: Inventory) -> Sequence[str]:
        """Give arguments for the installed node's kernel. Called while planning."""

    @hookspec
    def node_render(self, state: State, inventory: Inventory | None) -> Sequence[RenderedFile]:
        """Give files of the root, made afresh at every boot before switch-root. Five seconds at most."""

    @hookspec
    def node_persist_paths(self) -> Sequence[str]:
        """Give paths of the root that are kept on CONFIG. Called at boot and by `nodectl persist`."""

    @hookspec
    def node_migrate(self, section: str, values: Any, version: int) -> Any:
        """Give a section's values as its `schema_version` `version` + 1 has them, None where it isn't ours.

        Called when a stored state is read whose section is older than the section's model.
        """

    @hookspec
    def node_probe(self, inventory: Inventory) -> Mapping[str, Any]:
        """Give further facts of the machine as plain data, kept under the plugin's own name.

        Called by the agent when it tells a server what the node is made of, not at every heartbeat.
        """

    @hookspec
    def node_register(self, state: State) -> Sequence[Backend]:
        """Give the backends of registration that this state asks for, none where it asks for none.

        Called by the agent before each round. A backend acts only when the agent calls it, never here. So
        that the agent is started at all, the plugin renders /etc/nodecrust/registration.d/NAME (without
        secrets) where it has one, with `live=REGISTRATION_LIVE`.
        """

    @hookspec
    def node_status_panels(self, inventory: Inventory) -> Sequence[StatusLine]:
        """Give lines for `nodectl status` and the console of a running node."""

    @hookspec
    def node_on_event(self, event: Any) -> None:
        """Observe an event of a run. Failures are logged and change nothing."""
