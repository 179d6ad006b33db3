"""Every hook, on one page: when it is called, what it gets, what it gives and what it may not do.

All hooks return data and change nothing; what acts is a step, which only the engine runs, or a backend of
registration, which only the agent calls. Arguments and results are serializable, so that a plugin can live
in another process. None stands for nothing to give. A hook may take fewer arguments than stand here, by name.

docs/hooks.md is written from this page (`python -m node.cli.hook_docs`), and says how it may change.
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
from node.model.event import Event
from node.model.health import HealthCheck
from node.model.inventory import Disk, Inventory
from node.model.layout import Layout
from node.model.problem import Problem
from node.model.registration import Backend
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep, PrepareStep

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
    """The specification, in the order in which a node meets it."""

    @hookspec
    def node_sections(self) -> Sequence[Section]:
        """Offer sections of the answers.

        When: once, when plugins are loaded; before any answer is known.
        Gets: nothing.
        Gives: sections with their models and pages. Every field of a model has a default.
        Never: depends on the machine, or takes a key that another plugin has.
        Since: 1
        """

    @hookspec
    def node_prepare(self, inventory: Inventory, answers: Answers) -> Sequence[PrepareStep]:
        """Give steps that run before disks are chosen: a RAID controller, firmware.

        When: at each look at the machine, once the answers are right and before `node_disk_layout`; not
            where a finished installation is booted.
        Gets: the inventory of this look, and the answers.
        Gives: steps. Those whose `done(inventory)` is false are run, and the inventory is taken anew.
        Never: gives a step that nobody asked for, or one that destroys data without a consent of its own:
            no disk is chosen yet, so that `storage.consent` says nothing of it.
        Since: 1
        """

    @hookspec
    def node_support(self, capability: str, inventory: Inventory) -> Support:
        """Say how well this plugin does, on this machine, what only one can do.

        When: before the hook that does it.
        Gets: the capability, and the inventory. `disk-layout` is done by `node_disk_layout`, `boot-loader` by
            `node_plan`: a plugin that offers it and isn't chosen is not asked for steps.
        Gives: a level. The highest is chosen; of equals a built-in, then the first by name. Where the chosen
            one fails, the next is asked.
        Never: claims VENDOR for machines that it was not made for.
        Since: 1
        """

    @hookspec
    def node_disk_layout(self, inventory: Inventory, answers: Answers, install_id: str) -> LayoutProposal:
        """Choose the disk and lay it out.

        When: while planning, of one plugin alone: that with the highest support.
        Gets: the inventory, the answers, and the installation's UUID.
        Gives: a layout whose identifiers are derived from `install_id`, or the problems that forbid one.
        Never: chooses a disk by its kernel name, or guesses between two.
        Since: 1
        """

    @hookspec
    def node_veto_disk(self, disk: Disk) -> Sequence[Problem]:
        """Name what forbids writing this disk: a foreign volume group, a member of a cluster.

        When: while planning, for the disk that was chosen, unless the answers consent to its loss.
        Gets: the disk with its contents as they were read.
        Gives: problems; each stops the installation until somebody consents.
        Never: lifts the veto of another plugin.
        Since: 1
        """

    @hookspec
    def node_validate(self, answers: Answers, inventory: Inventory) -> Sequence[Problem]:
        """Name every problem of the answers on this machine, not the first.

        When: before planning, and before a change of a running node's configuration.
        Gets: the answers, whose form is right, and the inventory.
        Gives: problems, each with the dotted key that it is about and how to mend it.
        Never: asks a server or a device; what a machine can't tell by its inventory is a step's to find.
        Since: 1
        """

    @hookspec
    def node_kernel_args(self, answers: Answers, inventory: Inventory) -> Sequence[str]:
        """Give arguments for the installed node's kernel.

        When: while planning, before `node_plan`.
        Gets: the answers and the inventory.
        Gives: arguments, one a text, in order: `intel_iommu=on`.
        Never: gives one that begins with `node.`; those are the boot loader's.
        Since: 1
        """

    @hookspec
    def node_plan(self, answers: Answers, inventory: Inventory, target: Target) -> Sequence[PlannedStep]:
        """Give the steps for a layout.

        When: while planning, once a layout stands.
        Gets: the answers, the inventory, and the target: its layout, identifiers and kernel arguments.
        Gives: steps with their phase. Within a phase they run in the order given.
        Never: does anything. The same arguments give the same steps, byte for byte.
        Since: 1
        """

    @hookspec
    def node_on_event(self, event: Event) -> None:
        """Observe a run: it started, a step started or failed, it is done.

        When: while the engine runs, at each event but progress.
        Gets: the event, without secrets.
        Gives: nothing.
        Never: takes long; the run waits for it. A failure is logged and changes nothing.
        Since: 1
        """

    @hookspec
    def node_render(self, state: State, inventory: Inventory | None) -> Sequence[RenderedFile]:
        """Give files of the root, made afresh.

        When: at every boot before switch-root, and when the configuration of a running node changes.
        Gets: the state; no inventory at boot, where nothing is probed yet.
        Gives: files with all that is in them, links, or lines to append.
        Never: takes more than five seconds, or gives a file of another plugin.
        Since: 1
        """

    @hookspec
    def node_persist_paths(self) -> Sequence[str]:
        """Give paths of the root that are kept on CONFIG.

        When: at boot, and by `nodectl persist`.
        Gets: nothing.
        Gives: absolute paths of files or folders.
        Never: names what another plugin renders, or a folder of the image's own such as /usr.
        Since: 1
        """

    @hookspec
    def node_migrate(self, section: str, values: Any, version: int) -> Any:
        """Give a section's values as its next `schema_version` has them.

        When: as a stored state is read whose section is older than the section's model.
        Gets: the section's key, its values as they were stored, and their version.
        Gives: the values of `version` + 1; None where the section isn't ours.
        Never: skips a version.
        Since: 1
        """

    @hookspec
    def node_probe(self, inventory: Inventory) -> Mapping[str, Any]:
        """Give further facts of the machine as plain data, kept under the plugin's own name.

        When: on a running node, as the agent tells a server what the node is made of; not at every heartbeat.
        Gets: the whole inventory.
        Gives: a mapping that JSON can hold, at most 128 KiB of it.
        Never: writes, or gives what changes by itself all the time: each change is sent.
        Since: 1
        """

    @hookspec
    def node_health_checks(self, inventory: Inventory) -> Sequence[HealthCheck]:
        """Give the results of checks: passed, failed, degraded or skipped, and why.

        When: on a running node, for `nodectl status`, the console and the facts.
        Gets: the part of the inventory that is quick to read; its disks are not in it.
        Gives: checks by name. One that failed or is degraded makes the node unwell.
        Never: does what takes long or loads the machine: such a check is a step or a timer that leaves its
            result in a file, which is read here.
        Since: 1
        """

    @hookspec
    def node_status_panels(self, inventory: Inventory) -> Sequence[StatusLine]:
        """Give lines for `nodectl status` and the console of a running node.

        When: as the status is shown; on the console every few minutes.
        Gets: the part of the inventory that is quick to read; its disks are not in it.
        Gives: lines of a term and its value.
        Never: shows a secret, or needs root where it can do without.
        Since: 1
        """

    @hookspec
    def node_register(self, state: State) -> Sequence[Backend]:
        """Give the backends of registration that this state asks for, none where it asks for none.

        When: by the agent before each round. A backend acts only when the agent calls it.
        Gets: the state.
        Gives: backends by name. So that the agent is started at all, the plugin renders
            /etc/nodecrust/registration.d/NAME (without secrets) where it has one, with
            `live=REGISTRATION_LIVE`.
        Never: speaks with a server here.
        Since: 1
        """
