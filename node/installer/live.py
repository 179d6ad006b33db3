"""The installer of a booted image: looks at everything, says it on every console, and installs or asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from node.errors import InputError, NodeError, StepFailedError, TryAgainError
from node.installer.consent import consent_layer, name_to_type, named_disk
from node.installer.consoles import Consoles
from node.installer.contributions import PluginTalk
from node.installer.flow import Look, look, refusal
from node.installer.installed import network_installation
from node.installer.plan_text import plan_lines
from node.installer.preparing import Memory, NoMemory, Preparation
from node.installer.problem_text import problem_lines, wrapped
from node.installer.progress_text import ProgressLines
from node.installer.sources.gather import Gathered
from node.installer.sources.kernel import boot_words
from node.installer.sources.location import without_password
from node.model.answers import Layer
from node.model.event import Event
from node.model.install import Afterwards, InstallAnswers, Mode
from node.model.inventory import Installation, Inventory
from node.model.layout import Role
from node.model.origin import Precedence
from node.model.plan import Plan

_log = logging.getLogger(__name__)
RULE = "=" * 79
# The sources have tried for a minute by themselves before they say that they can't.
WAITS_S = (5.0, 10.0, 20.0, 40.0, 60.0)
OBJECTION_S = 30.0
# What is assumed of a node that is installed, unless its kernel arguments say otherwise.
_UNATTENDED = Layer(Precedence.DEFAULT, {"install": {"mode": "unattended"}})


@dataclass(frozen=True)
class Effects:
    """What the live installer does to the machine and the network, each as a function.

    `screens` give the exit code, or what was typed on them where the machine is to be prepared with that.
    """

    inventory: Callable[[], Inventory]
    local: Callable[[], Gathered]
    with_answers: Callable[[Gathered], Gathered]
    install: Callable[[Plan, Sequence[Callable[[Event], None]]], None]
    boot_existing: Callable[[Installation, Inventory], None]
    leave: Callable[[Afterwards], None]
    screens: Callable[[Gathered, Inventory], int | Layer] | None = None
    memory: Memory = field(default_factory=NoMemory)


class LiveInstaller:
    """One run on a booted image. `run` gives the exit code once there is nothing more to do."""

    def __init__(self, consoles: Consoles, talk: PluginTalk, effects: Effects) -> None:
        self._consoles = consoles
        self._talk = talk
        self._effects = effects
        self._tries = 0
        self._preparation = Preparation(effects.memory, effects.install)

    def run(self) -> int:
        """Look, and install, boot what is there, or ask; again and again while somebody may mend it."""
        while True:
            try:
                code = self._round()
            except TryAgainError as error:
                self._tell(error, "Not yet")
                self._wait()
                continue
            except NodeError as error:
                self._stay(error)
                return error.exit_code
            if code is not None:
                return code

    def _round(self) -> int | None:
        self._consoles.say(RULE, "Nodecrust looks at this machine and at what it is to become ...")
        inventory = self._effects.inventory()
        local = self._effects.local()
        for words in boot_words(local.kernel, inventory):
            self._consoles.say(*wrapped("  ", words))
        if address := local.kernel.own.get("answers"):
            self._consoles.say(*wrapped("  ", f"answers from {without_password(address)}"))
            self._consoles.flush()
        try:
            gathered = self._effects.with_answers(local)
        except TryAgainError as error:
            return self._without_answers(error, local, inventory)
        seen = look(self._talk, gathered.layers, inventory, problems=gathered.problems)
        if found := network_installation(seen.answers, inventory):
            return self._leave_running(found)
        self._consoles.say(RULE, *plan_lines(seen.plan, inventory), RULE)
        if seen.plan.boots_existing:
            return self._boot_existing(seen)
        return self._carry_out(seen, gathered)

    def _carry_out(self, seen: Look, gathered: Gathered) -> int | None:
        """Do what is planned, or ask."""
        if seen.plan.prepare:
            if seen.answers[InstallAnswers].mode is not Mode.UNATTENDED:
                if self._can_show(gathered):
                    return self._ask(seen, gathered)
                if not self._agreed_to_prepare():
                    return None
            return self._prepare(seen)
        self._preparation.finish()
        if seen.answers[InstallAnswers].mode is Mode.UNATTENDED:
            return self._unattended(seen)
        return self._ask(seen, gathered)

    def _without_answers(self, error: TryAgainError, local: Gathered, inventory: Inventory) -> int | None:
        """Boot a node that is installed even while the server of its answers is away.

        Whether it was to be installed unattended stands in those answers: somebody who sits here may object.
        """
        seen = look(self._talk, (_UNATTENDED, *local.layers), inventory, problems=local.problems)
        if found := network_installation(seen.answers, inventory):
            return self._leave_running(found)
        if not seen.plan.boots_existing:
            raise error
        self._tell(error, "The answers are not to be had")
        unasked = look(self._talk, local.layers, inventory, problems=local.problems).plan.boots_existing
        if not unasked:
            self._consoles.say(
                f"The installation on {seen.plan.boots_existing} is booted in {OBJECTION_S:.0f} s."
            )
            if self._consoles.ask("Enter waits for the answers instead: ", timeout_s=OBJECTION_S) is not None:
                raise error
        return self._boot_existing(seen)

    def _unattended(self, seen: Look) -> int:
        if error := refusal(seen.plan.problems):
            if isinstance(error, TryAgainError):
                raise error
            self._stay(error)
            return error.exit_code
        code = self._install(seen)
        return 0 if code is None else code

    def _ask(self, seen: Look, gathered: Gathered) -> int | None:
        """Take a disk's name, which consents to its loss; whatever else is typed looks again."""
        if self._effects.screens and self._can_show(gathered):
            try:
                return self._on_screens(self._effects.screens, gathered, seen.inventory)
            except Exception:
                # Whoever came here to install a machine can still do it.
                _log.exception("the screens failed")
                self._consoles.say("The screens failed; the log says why. What follows asks in single lines.")
        word = name_to_type(seen.plan.layout, seen.inventory)
        self._consoles.say(
            "To install, type the serial number of the disk to be erased, then Enter."
            + (f" Here: {word}" if word else "")
        )
        typed = self._consoles.ask("Serial number (Enter alone looks again): ")
        if not typed:
            return None
        disk = named_disk(typed, seen.inventory)
        if disk is None:
            self._consoles.say(f"No disk is named '{typed}'.")
            return None
        layer = consent_layer(disk, seen.answers)
        agreed = self._look_with(gathered, layer, seen.inventory)
        if refusal(agreed.plan.problems):
            self._consoles.say(*problem_lines(agreed.plan.problems), "Nothing was written.")
            self._consoles.ask("Enter looks again: ")
            return None
        failed = self._install(agreed)
        if failed is None:
            return 0
        self._consoles.ask("Enter looks again: ")
        return None

    def _can_show(self, gathered: Gathered) -> bool:
        screens = self._effects.screens is not None and self._consoles.can_ask
        return screens and gathered.kernel.own.get("screens") != "no"

    def _on_screens(
        self, screens: Callable[[Gathered, Inventory], int | Layer], gathered: Gathered, inventory: Inventory
    ) -> int:
        """Show the screens, and again after each preparation that was agreed to on them."""
        while True:
            came = screens(gathered, inventory)
            if isinstance(came, int):
                self._preparation.finish()
                return came
            gathered = replace(gathered, layers=(*gathered.layers, came))
            seen = look(self._talk, gathered.layers, inventory, problems=gathered.problems)
            try:
                if seen.plan.prepare and (code := self._prepare(seen)) is not None:
                    return code
            except NodeError as error:
                # Whoever sits here may answer otherwise.
                self._tell(error, "Not prepared")
                self._consoles.ask("Enter goes back to the screens: ")
            inventory = self._effects.inventory()

    def _agreed_to_prepare(self) -> bool:
        """Ask, where no screens do it."""
        word = "prepare"
        self._consoles.say(f"To prepare this machine as said above, type {word}, then Enter.")
        return self._consoles.ask("Enter alone looks again: ") == word

    def _prepare(self, seen: Look) -> int | None:
        """Do what comes before disks are chosen; None where the machine is to be looked at anew."""
        self._consoles.say("Preparing this machine. Do not switch it off.")
        self._consoles.flush()
        restart = self._preparation.run(
            seen.plan, (lambda _: self._consoles.pump(), ProgressLines(self._consoles.say), self._talk.tell)
        )
        if not restart:
            return None
        if not self._preparation.keeps_counts():
            # Nobody would notice that it goes on for ever.
            self._consoles.say(
                RULE, *wrapped("", "This machine must be restarted to go on, and its firmware keeps no count "
                               "of that: restart it by hand."), RULE,
            )  # fmt: skip
            self._consoles.flush()
            return 0
        self._consoles.say(RULE, "The machine restarts now and goes on after that.", RULE)
        self._consoles.flush()
        self._effects.leave(Afterwards.REBOOT)
        return 0

    def _look_with(self, gathered: Gathered, layer: Layer, inventory: Inventory) -> Look:
        return look(self._talk, (*gathered.layers, layer), inventory, problems=gathered.problems)

    def _install(self, seen: Look) -> int | None:
        """Install and leave; None when all went well, the exit code of the failure otherwise."""
        progress = ProgressLines(self._consoles.say)
        self._consoles.say("Installing. Do not switch the machine off.")
        self._consoles.flush()
        try:
            self._effects.install(seen.plan, (lambda _: self._consoles.pump(), progress, self._talk.tell))
        except TryAgainError:
            raise
        except NodeError as error:
            self._stay(error)
            return error.exit_code
        afterwards = seen.answers[InstallAnswers].afterwards
        words = _WORDS[afterwards]
        if afterwards is Afterwards.REBOOT and seen.plan.layout and not seen.plan.layout.get(Role.ROOT_A):
            words = "It restarts now; booted over the network again, it keeps its configuration on the disk."
        self._consoles.say(RULE, "This node is installed.", words, RULE)
        self._consoles.flush()
        try:
            self._effects.leave(afterwards)
        except NodeError as error:
            self._tell(error, "Do it by hand")
        return None

    def _boot_existing(self, seen: Look) -> int:
        found = next(i for i in seen.inventory.installations if i.disk == seen.plan.boots_existing)
        self._consoles.say(f"Booting the installation on {found.disk}; nothing is written.")
        self._consoles.flush()
        try:
            self._effects.boot_existing(found, seen.inventory)
        except NodeError as error:
            self._stay(error)
            return error.exit_code
        return 0

    def _leave_running(self, found: Installation) -> int:
        self._consoles.say(f"This node is installed ({found.disk}) and runs from the network.")
        return 0

    def _wait(self) -> None:
        wait_s = WAITS_S[min(self._tries, len(WAITS_S) - 1)]
        self._tries += 1
        self._consoles.say(f"Trying again in {wait_s:.0f} s; Enter tries at once.")
        self._consoles.ask("", timeout_s=wait_s)

    def _stay(self, error: NodeError) -> None:
        """Say what went wrong as the last words on every console, and stay."""
        self._tell(error)
        self._consoles.say(
            *wrapped("  ", "The machine stays as it is now. The log is /run/node/install.log. When this is "
                     "mended, restart the machine."),
            RULE,
        )  # fmt: skip
        self._consoles.flush()

    def _tell(self, error: NodeError, lead: str = "Not installed") -> None:
        _log.warning("%s %s", error.brief, error.details)
        self._consoles.say(RULE, *wrapped("", f"{lead}: {error.brief}"))
        if isinstance(error, StepFailedError):
            self._consoles.say(*wrapped("  ", f"step: {error.step} (of {error.owner or 'nodecrust'})"))
            self._consoles.say(*wrapped("  ", f"the disk: {error.disk_state}"))
        for line in error.details.splitlines():
            self._consoles.say(*wrapped("  ", line))
        if isinstance(error, InputError):
            self._consoles.say(*problem_lines(error.problems))
        if error.mend:
            self._consoles.say(*wrapped("  -> ", error.mend))


_WORDS = {
    Afterwards.REBOOT: "It restarts now, from its own disk.",
    Afterwards.POWEROFF: "The machine is switched off now.",
    Afterwards.STAY: "The machine stays on, as install.afterwards says.",
}
