"""The one session that all consoles show: what was typed, what it makes of this machine, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from node.installer.answers import merge
from node.installer.consent import consent_layer
from node.installer.contributions import PluginTalk
from node.installer.flow import Look, look
from node.installer.tui.derived import pages_of
from node.model.answers import Layer
from node.model.install import InstallAnswers
from node.model.inventory import Disk, Inventory
from node.model.origin import Origin, Precedence
from node.model.page import Page, ViewField
from node.model.problem import Problem, Severity

SCREEN = "the screen"


class Phase(StrEnum):
    """Where the session is."""

    ANSWERS = "answers"
    INSTALLING = "installing"
    DONE = "done"
    FAILED = "failed"


class Verdict(StrEnum):
    """What keeps the installation from being started."""

    LOOKING = "looking"
    REFUSED = "refused"
    CONSENT = "consent"
    PREPARE = "prepare"
    READY = "ready"


@dataclass(frozen=True)
class View:
    """A look at the machine with the answers as they were, and with a consent to the disk that they mean.

    `agreed` is None where a consent would change nothing.
    """

    number: int
    seen: Look
    agreed: Look | None = None

    @property
    def best(self) -> Look:
        """What would be done once everything is agreed to."""
        return self.agreed or self.seen


class Session:
    """Answers as typed so far, over the layers that came before any screen. Nothing here touches a machine.

    `problems` are those of the layers' sources. Keys are dotted, their section included.
    """

    def __init__(
        self,
        talk: PluginTalk,
        inventory: Inventory,
        layers: Sequence[Layer] = (),
        problems: Sequence[Problem] = (),
    ) -> None:
        self.talk = talk
        self.inventory = inventory
        self.phase = Phase.ANSWERS
        self.pages = pages_of(talk.sections())
        self.typed: dict[str, Any] = {}
        self.local: dict[str, Problem] = {}
        """Problems of what is typed and can't be an answer yet, by the key of its field."""
        self.consent = ""
        """The node of the disk whose name was typed."""
        self.view: View | None = None
        self._layers = tuple(layers)
        self._problems = tuple(problems)
        self._models = talk.models()
        self._base = merge(self._layers)
        self._number = 0

    # What is typed

    def value(self, key: str) -> Any:
        """Give the value of a key as plain data: typed, or from the layers, or the model's default."""
        for part in _with_parents(key):
            if part in self.typed:
                return _dig(self.typed[part], key.removeprefix(part).strip("."))
        found = _dig(self._base.values, key)
        return self.default(key) if found is None else found

    def default(self, key: str) -> Any:
        """Give what a key is when nobody says anything."""
        section, _, rest = key.partition(".")
        model = self._models.get(section)
        return _dig(model().model_dump(mode="json"), rest) if model else None

    def set(self, key: str, value: Any) -> None:
        """Take what was typed; nothing but its default where that is what it is anyway."""
        if self.locked(key):
            return
        if value == self.value(key) and key in self.typed:
            return
        self.typed[key] = value
        self._number += 1
        if key.startswith("storage.disk"):
            self.consent = ""

    def forget(self, key: str) -> None:
        """Take back what was typed for a key."""
        if self.typed.pop(key, None) is not None:
            self._number += 1

    def agree(self, disk: Disk | None) -> None:
        """Take the consent to the loss of a disk's contents; None takes it back."""
        self.consent = disk.node if disk else ""
        self._number += 1

    def locked(self, key: str) -> Origin | None:
        """Give who fixed a value, None where it may be changed here."""
        fixed = _dig(self._base.values, "install.locked") or ()
        fixed = fixed.replace(",", " ").split() if isinstance(fixed, str) else fixed
        if not any(key == one or key.startswith(f"{one}.") for one in map(str, fixed)):
            return None
        return next(
            (self._base.origins[part] for part in _with_parents(key) if part in self._base.origins),
            Origin(Precedence.FILE, "install.locked"),
        )

    def layers(self) -> tuple[Layer, ...]:
        """Give all layers, what was typed on top."""
        values: dict[str, Any] = {}
        for key, value in self.typed.items():
            _put(values, key, value)
        return (*self._layers, Layer(Precedence.SCREEN, values, SCREEN))

    # What it makes

    @property
    def stale(self) -> bool:
        """Whether something was typed since the last look."""
        return self.view is None or self.view.number != self._number

    def looker(self) -> _Looker:
        """Give the work of looking at what is typed now; it takes long and may run in a thread."""
        return _Looker(
            self._number, self.talk, self.layers(), self.inventory, self._problems, consent=self.consent
        )

    def take(self, view: View) -> None:
        """Take what a look found; an older one than what is known is dropped."""
        if self.view is None or view.number >= self.view.number:
            self.view = view

    @property
    def disk(self) -> Disk | None:
        """The disk that the answers mean."""
        layout = self.view.best.plan.layout if self.view else None
        return self.inventory.disk(layout.disk.node) if layout else None

    @property
    def verdict(self) -> Verdict:
        """Say what the installation waits for."""
        if self.stale or self.view is None:
            return Verdict.LOOKING
        if self.local or self.view.best.plan.refused:
            return Verdict.REFUSED
        if self.view.best.plan.prepare:
            return Verdict.PREPARE
        return Verdict.CONSENT if self.view.agreed else Verdict.READY

    def problems(self) -> tuple[Problem, ...]:
        """Give all problems but those that a consent lifts: errors first."""
        found = (*self.local.values(), *(self.view.best.plan.problems if self.view else ()))
        return tuple(sorted(found, key=lambda problem: problem.severity is Severity.WARNING))

    def held(self) -> tuple[Problem, ...]:
        """Give what stands against the disk until its name is typed."""
        if self.view is None or self.view.agreed is None:
            return ()
        lifted = set(self.view.agreed.plan.problems)
        return tuple(problem for problem in self.view.seen.plan.problems if problem not in lifted)

    def problems_at(self, key: str) -> tuple[Problem, ...]:
        """Give the problems of a field: those of its key and of all below it."""
        return tuple(problem for problem in self.problems() if _below(problem.where, key))

    def page_of(self, problem: Problem) -> Page | None:
        """Give the page where a problem is mended; None where no page can."""
        for page in self.pages:
            if any(_below(problem.where, field.key) for field in page.fields):
                return page
        if problem.where.startswith("/dev/") or problem.where.partition(".")[0] == "storage":
            views = ((page, field) for page in self.pages for field in page.fields)
            return next(
                (page for page, field in views if isinstance(field, ViewField) and field.view == "disks"),
                None,
            )
        section = problem.where.partition(".")[0]
        return next(
            (page for page in self.pages for field in page.fields if field.key.startswith(f"{section}.")),
            None,
        )

    def asked(self) -> tuple[Page, ...]:
        """Give the pages that are asked in turn."""
        return tuple(page for page in self.pages if page.asked)

    @property
    def install(self) -> InstallAnswers:
        """How the installation runs, as far as it is known."""
        return self.view.best.answers[InstallAnswers] if self.view else InstallAnswers.model_validate({})


@dataclass(frozen=True)
class _Looker:
    number: int
    talk: PluginTalk
    layers: tuple[Layer, ...]
    inventory: Inventory
    problems: tuple[Problem, ...]
    consent: str

    def __call__(self, *, for_show: bool = True) -> View:
        """Look; twice where a consent to the disk could change what comes of it."""
        seen = self._look(self.layers, for_show=for_show)
        layout = seen.plan.layout
        disk = self.inventory.disk(layout.disk.node) if layout else None
        if disk is None or not seen.plan.refused:
            return View(self.number, seen)
        agreed = self._look((*self.layers, consent_layer(disk, seen.answers)), for_show=for_show)
        if self.consent == disk.node:
            return View(self.number, agreed)
        changed = agreed.plan.problems != seen.plan.problems
        return View(self.number, seen, agreed if changed else None)

    def _look(self, layers: Sequence[Layer], *, for_show: bool) -> Look:
        return look(self.talk, layers, self.inventory, problems=self.problems, for_show=for_show)


def _with_parents(key: str) -> list[str]:
    parts = key.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]


def _below(where: str, key: str) -> bool:
    return where == key or where.startswith(f"{key}.")


def _dig(values: Any, key: str) -> Any:
    for part in key.split(".") if key else ():
        if not isinstance(values, Mapping) or part not in values:
            return None
        values = values[part]
    return values


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for part in parents:
        values = values.setdefault(part, {})
    values[last] = value
