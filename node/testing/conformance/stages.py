"""The stages of a conformance run, each a function that tells findings of one candidate."""

from __future__ import annotations

import importlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from node.agent.facts import PLUGIN_MOST
from node.boot.rendering import render
from node.hookspecs import PROJECT, Hooks
from node.installer.contributions import PluginTalk
from node.installer.document import read_document
from node.installer.flow import look
from node.installer.schema import json_schema
from node.model.answers import Layer, Section
from node.model.health import HealthCheck, Outcome
from node.model.inventory import Inventory, from_json
from node.model.mask import MASK
from node.model.near import nearest
from node.model.origin import Precedence
from node.model.plan import Plan, planned_to_data
from node.model.problem import errors
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep, Step, step_from_data, step_to_data
from node.plugin_manager import REPORT, Plugins
from node.testing.conformance.watched import Watch, watched
from node.testing.guard import ForbiddenEffectError, guarded
from node.testing.machines import machine, machine_names
from node.testing.workbench import BASE

Tell = Callable[[HealthCheck], None]
_BASE = Layer(Precedence.DEFAULT, BASE)
_ROOTS = ("/etc/", "/usr/local/", "/var/lib/")
_SUMMARY = 200
_SECRET_WORDS = ("password", "secret", "token", "passphrase", "private_key", "community")


@dataclass
class Bench:
    """The candidate's plugin with its entry point's name, in this process, and what it is tried with.

    `answers` are documents in YAML, the empty one among them, `recorded` names machines of ours, `machines`
    are further ones in JSON. `programs` says what programs print on the fake machine. `note` takes the steps
    that planning finds, as data, and in words why every plan was refused, "" where one was not; the stages
    after it get them as `found` and `refused`.
    """

    name: str
    value: str
    tell: Tell
    doing: Callable[[str], None]
    answers: Sequence[str] = ("",)
    machines: Sequence[str] = ()
    recorded: Sequence[str] = machine_names()
    programs: Mapping[str, str] = field(default_factory=dict)
    found: Sequence[Mapping[str, Any]] = ()
    refused: str = ""
    note: Callable[[Sequence[Mapping[str, Any]], str], None] = lambda _, __: None

    def passed(self, name: str, faults: Sequence[str], words: str = "") -> None:
        """Tell faults, or that there are none."""
        for fault in faults:
            self.tell(HealthCheck(name, Outcome.FAILED, fault))
        if not faults:
            self.tell(HealthCheck(name, Outcome.PASSED, words))

    @cached_property
    def plugin(self) -> Any:
        """What the entry point names."""
        module, _, attributes = self.value.partition(":")
        found: Any = importlib.import_module(module)
        for attribute in filter(None, attributes.split(".")):
            found = getattr(found, attribute)
        return found

    @cached_property
    def watch(self) -> Watch:
        """What is seen of its hooks."""
        return Watch(self.doing)

    @cached_property
    def plugins(self) -> Plugins:
        """The built-ins, and the candidate's plugin, watched."""
        plugins = Plugins()
        plugins.load()
        plugins.add(self.name, lambda: watched(self.plugin, self.watch))
        return plugins

    @cached_property
    def talk(self) -> PluginTalk:
        """The hooks of planning."""
        return PluginTalk(self.plugins)

    def sections(self) -> tuple[Section, ...]:
        """Give its own sections, as it offers them."""
        call = getattr(watched(self.plugin, self.watch), "node_sections", None)
        found = call() if call else ()
        return tuple(one for one in found or () if isinstance(one, Section))

    def layers(self) -> Iterator[Layer]:
        """Give what it is asked for, one after the other."""
        for text in self.answers:
            layer, problems = read_document(text.encode(), name="answers")
            for problem in problems:
                self.tell(HealthCheck("answers", Outcome.FAILED, str(problem)))
            yield layer

    def inventories(self) -> Iterator[tuple[str, Inventory]]:
        """Give every machine by name."""
        for name in self.recorded:
            yield name, machine(name)
        for number, text in enumerate(self.machines, 1):
            yield f"inventory {number}", from_json(text)

    def planned(self) -> list[tuple[Inventory, PlannedStep]]:
        """Give the steps that the stage of planning found, each with a machine of it."""
        machines = dict(self.inventories())
        return [
            (machines[one["machine"]], PlannedStep(one["phase"], step_from_data(one["data"]), self.name))
            for one in self.found
        ]

    def has(self, *hooks: str) -> bool:
        """Tell whether it has any of these."""
        return any(getattr(getattr(self.plugin, hook, None), f"{PROJECT}_impl", None) for hook in hooks)


def load(bench: Bench) -> None:
    """Import it, and look at what it offers."""
    caught: list[str] = []
    bench.doing(f"import {bench.value}")
    try:
        with guarded(temporary=False, caught=caught):
            plugin = bench.plugin
    except ForbiddenEffectError:
        bench.passed("loads", [f"its import reached for the machine: {words}" for words in caught])
        return
    except BaseException as error:
        bench.passed("loads", [f"its import raised {type(error).__name__}: {error}"])
        return
    known = [name for name in vars(Hooks) if name.startswith("node_")]
    faults = [f"its import reached for the machine: {words}" for words in caught]
    for name in dir(plugin):
        value = getattr(plugin, name, None)
        marked = getattr(value, f"{PROJECT}_impl", None)
        if marked and name not in known:
            near = nearest(name, known)
            faults.append(f"{name} is no hook; {f'did you mean {near}?' if near else 'see docs/hooks.md'}")
        elif not marked and name in known and inspect.isroutine(value):
            faults.append(f"{name} is not marked with @hookimpl, so that nobody calls it")
        elif marked:
            takes = set(inspect.signature(cast("Any", value)).parameters) - {"self"}
            for extra in sorted(takes - set(inspect.signature(getattr(Hooks, name)).parameters)):
                faults.append(f"{name} takes '{extra}', which it does not get")
    if not faults:
        faults += [str(problem) for problem in bench.plugins.problems if problem.owner == bench.name]
    hooks = [name for name in known if getattr(getattr(plugin, name, None), f"{PROJECT}_impl", None)]
    bench.passed("loads", faults, f"hooks: {', '.join(hooks) or 'none'}")


def schema(bench: Bench) -> None:
    """Look at its sections: the JSON Schema, the defaults, what is secret, and that all is described."""
    sections = bench.sections()
    if not sections:
        bench.tell(HealthCheck("schema", Outcome.SKIPPED, "it has no section"))
        bench.tell(HealthCheck("documentation", Outcome.SKIPPED, "it has no section"))
        return
    faults = list(bench.watch.faults)
    others = {key for key in bench.talk.models() if key not in {section.key for section in sections}}
    unwritten: list[str] = []
    for section in sections:
        if section.key in others or bench.talk.models().get(section.key) is not section.model:
            faults.append(f"section '{section.key}' is another plugin's")
            continue
        try:
            made = section.model()
            section.model.model_validate(made.model_dump(mode="json"))
            json_schema([section])
        except Exception as error:
            faults.append(f"section '{section.key}': {type(error).__name__}: {error}".splitlines()[0])
            continue
        unwritten += [] if section.help else [f"section '{section.key}' has no help"]
        for name, entry in section.model.model_fields.items():
            unwritten += [] if entry.description else [f"{section.key}.{name} has no description"]
            if any(word in name for word in _SECRET_WORDS) and name not in section.model.secret:
                faults.append(f"{section.key}.{name} looks like a secret and is not in the model's `secret`")
        keys = {f"{section.key}.{name}" for name in section.model.model_fields}
        for page in section.pages:
            for one in page.fields:
                if one.key.startswith(f"{section.key}.") and ".".join(one.key.split(".")[:2]) not in keys:
                    faults.append(f"page '{page.key}' asks for {one.key}, which the model does not have")
    if any(section.model.schema_version > 1 for section in sections) and not bench.has("node_migrate"):
        faults.append("a section is beyond version 1, and there is no node_migrate")
    bench.passed("schema", faults, ", ".join(section.key for section in sections))
    bench.passed("documentation", unwritten, "every section and field is described")


def planning(bench: Bench) -> None:
    """Plan for every machine, twice: the same comes out, nothing is reached for and nothing takes long."""
    faults: list[str] = []
    plans = 0
    found: dict[str, dict[str, Any]] = {}
    refused = ""
    for number, layer in enumerate(bench.layers()):
        firsts: list[Plan] = []
        for name, inventory in bench.inventories():
            bench.doing(f"planning for {name}")
            twice = [look(bench.talk, [_BASE, layer], inventory, for_show=True).plan for _ in range(2)]
            texts = [json.dumps([planned_to_data((*p.prepare, *p.steps)), str(p.layout)]) for p in twice]
            if texts[0] != texts[1] or twice[0].problems != twice[1].problems:
                faults.append(f"two plans for {name} differ")
            faults += [
                f"{problem.where}: {problem.what}" if problem.mend == REPORT else str(problem)
                for problem in twice[0].problems
                if problem.owner == bench.name and problem.code == "plugin-failed"
            ]
            for one in (*twice[0].prepare, *twice[0].steps):
                if one.owner == bench.name:
                    faults += [f"{type(one.step).__name__}: {words}" for words in data_faults(one.step)]
                    data = {"phase": one.phase, "data": one.step.to_data()}
                    found.setdefault(json.dumps(data, sort_keys=True), {**data, "machine": name})
            firsts.append(twice[0])
            plans += 2
        if words := _refused_everywhere(bench, number, firsts):
            refused = words
            bench.tell(HealthCheck("answers", Outcome.DEGRADED, words))
    bench.note(list(found.values()), refused)
    faults = [*bench.watch.faults, *dict.fromkeys(faults)]
    bench.passed("planning is pure", faults, f"{plans} plans, the same each time")
    slowest = max(bench.watch.longest_s, key=lambda name: bench.watch.longest_s[name], default="")
    if slowest:
        words = f"the longest call was {slowest}, {bench.watch.longest_s[slowest] * 1000:.0f} ms"
        bench.tell(HealthCheck("time", Outcome.PASSED, words))


def _refused_everywhere(bench: Bench, number: int, plans: Sequence[Plan]) -> str:
    """Say by which problem a document of answers is refused on every machine; "" where it is not."""
    if not plans or not all(plan.refused for plan in plans):
        return ""
    # Of a machine that the author added, the author expects more than of ours.
    asked_for = plans[-len(bench.machines) :] if bench.machines else plans
    stops = [problem for plan in asked_for for problem in errors(plan.problems)]
    mine = [problem for problem in stops if problem.owner == bench.name]
    (problem, _), *_ = Counter(f"{one.where}: {one.what}. {one.mend}" for one in mine or stops).most_common(1)
    which = f" of --answers number {number}" if len(bench.answers) > 2 else ""
    asked = f"the answers{which} are" if number else "a node without answers is"
    if bench.machines:
        return f"{asked} refused on every machine, those of --inventory too: {problem}"
    hint = "if yours are the only machines that it takes, add one by --inventory FILE"
    return f"{asked} refused on every machine: {problem.rstrip('.?')}; {hint}"


def data_faults(step: Step) -> list[str]:
    """Say what is wrong with a step as data and in words."""
    faults = []
    try:
        if step_from_data(step_to_data(step, reveal=True)) != step:
            faults.append("is another one once it was written down and read back")
    except Exception as error:
        faults.append(f"can't be written down and read back: {type(error).__name__}: {error}".splitlines()[0])
        return faults
    summary = step.summary()
    if not summary.strip() or not summary.isprintable() or len(summary) > _SUMMARY:
        faults.append(f"its summary is not one line of at most {_SUMMARY} signs")
    shown = step_to_data(step)
    for name, value in step_to_data(step, reveal=True).items():
        if shown.get(name) == MASK and isinstance(value, str) and len(value) > 3 and value in summary:
            faults.append(f"its summary tells {name}, which is secret")
    return faults


def rendering(bench: Bench) -> None:
    """Render what a boot would, for each document of answers."""
    if not bench.has("node_render", "node_persist_paths"):
        bench.tell(HealthCheck("boot", Outcome.SKIPPED, "it renders nothing"))
        return
    faults: list[str] = []
    count = 0
    for layer in bench.layers():
        seen = look(bench.talk, [_BASE, layer], machine("vm-virtio-blank"))
        state = State(sections=seen.answers.persistent())
        bench.doing("node_render")
        twice = [render(bench.plugins, state) for _ in range(2)]
        mine = [tuple(found.by_plugin.get(bench.name, ())) for found in twice]
        faults += [words for words in twice[0].failures if words.startswith(f"plugin {bench.name}")]
        if mine[0] != mine[1]:
            faults.append("node_render gives something else the second time")
        others = {
            file.path
            for name, files in twice[0].by_plugin.items()
            if name != bench.name
            for file in files
            if not file.append
        }
        faults += _file_faults(mine[0], others)
        for path in twice[0].declared.get(bench.name, ()):
            if not path.startswith("/") or "/../" in f"{path}/":
                faults.append(f"node_persist_paths gives '{path}', which is no absolute path")
        count += len(mine[0])
    bench.passed("boot", [*bench.watch.faults, *dict.fromkeys(faults)], f"{count} files rendered")


def _file_faults(files: Sequence[RenderedFile], others: set[str]) -> Iterator[str]:
    for file in files:
        if not file.path.startswith(_ROOTS) or "/../" in file.path:
            yield f"node_render gives {file.path}; it may give files below {', '.join(_ROOTS)}"
        if file.path in others and not file.append:
            yield f"node_render gives {file.path}, which another plugin has"


def running(bench: Bench) -> None:
    """Ask what it tells of a running node: this machine, whatever that is."""
    wanted = ("node_probe", "node_health_checks", "node_status_panels", "node_on_event")
    if not bench.has(*wanted):
        bench.tell(HealthCheck("running node", Outcome.SKIPPED, "it tells nothing of one"))
        return
    faults, names = _told(bench, machine("server-nvme-pair"))
    bench.passed("running node", [*bench.watch.faults, *faults], ", ".join(names))


def _told(bench: Bench, inventory: Inventory) -> tuple[list[str], list[str]]:
    """Give what is wrong with what it tells, and the names of its checks."""
    faults: list[str] = []
    for answered in bench.plugins.call("node_probe", only=bench.name, inventory=inventory):
        try:
            size = len(json.dumps(dict(answered.value or {}), allow_nan=False))
        except (TypeError, ValueError) as error:
            faults.append(f"node_probe gives what JSON can't hold: {error}")
        else:
            if size > PLUGIN_MOST:
                faults.append(f"node_probe gives {size} bytes; {PLUGIN_MOST} are the most")
    names: list[str] = []
    for answered in bench.plugins.call("node_health_checks", only=bench.name, inventory=inventory):
        for check in answered.value or ():
            if isinstance(check, HealthCheck):
                names.append(check.name)
            else:
                faults.append(f"node_health_checks gives a {type(check).__name__}, no HealthCheck")
    if len(set(names)) != len(names):
        faults.append("node_health_checks gives two checks of one name")
    for answered in bench.plugins.call("node_status_panels", only=bench.name, inventory=inventory):
        for line in answered.value or ():
            if not hasattr(line, "term"):
                faults.append(f"node_status_panels gives a {type(line).__name__}, no StatusLine")
    return faults, names
