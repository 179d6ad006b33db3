"""What crosses the border is the same on the other side, and nothing of a wrong kind comes back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field, field_validator, model_validator

from node.hookspecs import LayoutProposal, StatusLine, Support, Target
from node.installer.answers import merge, validate
from node.installer.flow import load_plugins, look
from node.installer.keys import KnownKeys
from node.installer.schema import json_schema
from node.model.answers import Answers, Layer, Section, SectionModel
from node.model.event import Event, EventKind
from node.model.inventory import Inventory
from node.model.layout import Layout
from node.model.origin import Origin, Precedence
from node.model.page import ChoiceField, Page, TextField
from node.model.problem import Blame, Problem, Severity
from node.model.state import RenderedFile, State
from node.model.step import PlannedStep, Step, step_from_data, step_to_data
from node.plugin_host.describing import describe_section, judge, schema_of
from node.plugin_host.frames import FrameError, from_body, to_frame
from node.plugin_host.hooks import implemented, signatures
from node.plugin_host.sections import OutsideSection, stand_in
from node.plugin_host.values import argument_from_json, argument_to_json, result_from_data, result_to_data
from node.plugin_host.words import shown, shown_all, sound
from node.testing.machines import machine, machine_names


class Inner(BaseModel):
    size: int = 4
    names: tuple[str, ...] = ("a",)


class Lamp(SectionModel):
    key: ClassVar[str] = "lamp"
    persists: ClassVar[bool] = True
    schema_version: ClassVar[int] = 2
    secret: ClassVar[frozenset[str]] = frozenset({"word"})

    on: bool = Field(False, description="Whether it shines.")
    word: str = ""
    level: int | None = None
    inner: Inner = Inner()
    more: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    items: list[Inner] = []  # noqa: RUF012 - as above

    @field_validator("level")
    @classmethod
    def _not_seven(cls, level: int | None) -> int | None:
        if level == 7:
            raise ValueError("seven is unlucky")
        return level

    @model_validator(mode="after")
    def _fits(self) -> Lamp:
        if self.on and self.level == 0:
            raise ValueError("it can't be on at level 0")
        return self


@dataclass(frozen=True)
class Shine(Step):
    level: int
    secret_fields: ClassVar[frozenset[str]] = frozenset({"word"})
    word: str = ""
    path: Path = Path("/x")

    def summary(self) -> str:
        return f"Shine at {self.level} {self.word}"


class OwnModel:
    """The other side of a stand-in, without a process."""

    def __init__(self, model: type[SectionModel]) -> None:
        self.model: type[SectionModel] | None = model

    def validate(self, values: Any) -> Mapping[str, Any] | None:
        return json.loads(json.dumps(judge(self.model, values))) if self.model else None

    def schema(self) -> Mapping[str, Any] | None:
        return schema_of(self.model) if self.model else None


def there(section: Section) -> tuple[Section, OwnModel]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = OwnModel(section.model)
        return stand_in(json.loads(json.dumps(describe_section(section))), "vendor", own), own


LAMP = Section(Lamp, "Lamp", "Shines.")


def test_a_stand_in_has_the_keys_defaults_and_schema_of_its_model() -> None:
    section, _ = there(LAMP)
    mine, its = KnownKeys({"lamp": Lamp}), KnownKeys({"lamp": section.model})
    assert [one.dotted for one in its] == [one.dotted for one in mine]
    for one, other in zip(its, mine, strict=True):
        for what in ("is_list", "is_boolean", "is_mapping", "is_model", "secret"):
            assert getattr(one, what) == getattr(other, what), (one.dotted, what)
        assert one.field.description == other.field.description
    assert section.model().model_dump(mode="json") == Lamp().model_dump(mode="json")
    assert (section.key, section.model.persists, section.model.schema_version) == ("lamp", True, 2)
    assert issubclass(section.model, OutsideSection)
    assert section.model.outside_plugin == "vendor"
    assert json_schema([section])["$defs"]["lamp"]["properties"]["on"]["description"] == "Whether it shines."


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"on": True, "inner": {"size": 8}, "items": [{"size": 1}]},
        {"on": "perhaps"},
        {"level": 7, "on": 1},
        {"on": True, "level": 0},
        {"inner": {"size": "much", "what": 1}},
        {"more": {"any": {"thing": [1]}}, "word": 5},
        {"onn": True},
        [],
        None,
        "text",
    ],
)
def test_a_stand_in_says_of_values_what_its_model_says(values: Any) -> None:
    section, _ = there(LAMP)
    layers = [Layer(Precedence.FILE, {"lamp": values}, "file")]
    mine, its = (validate(merge(layers), {"lamp": model}) for model in (Lamp, section.model))
    assert its[1] == mine[1]
    kept = its[0].persistent()["lamp"]
    assert Lamp.model_validate(kept) == mine[0].sections["lamp"]
    assert set(kept) == set(mine[0].persistent()["lamp"])
    assert its[0].sections["lamp"].model_dump(mode="json") == mine[0].sections["lamp"].model_dump(mode="json")


def test_what_nobody_can_judge_is_kept_as_it_was_said() -> None:
    section, own = there(LAMP)
    own.model = None
    assert section.model.model_validate({"level": 7}).model_dump(exclude_defaults=True) == {"level": 7}
    assert section.model.model_validate({"level": "much"}) == section.model()


def test_pages_keep_their_fields_and_are_fit_to_be_shown() -> None:
    fields = (
        TextField(key="lamp.word", label="Wo\x07rd"),
        ChoiceField(key="lamp.on", label="On", options=(("1", "yes"),)),
    )
    section, _ = there(
        Section(Lamp, "La\x1bmp", pages=(Page("lamp", "Lamp", order=30, fields=fields, asked=False),))
    )
    (page,) = section.pages
    assert section.title == "La\ufffdmp"
    assert (page.order, page.asked, page.fields[0].label) == (30, False, "Wo\ufffdrd")
    assert page.fields[1] == fields[1]


@pytest.mark.parametrize("name", machine_names())
def test_arguments_arrive_as_they_were(name: str) -> None:
    inventory = machine(name)
    talk = load_plugins()
    models = {section.key: section.model for section in talk.sections()}
    seen = look(
        talk, [Layer(Precedence.FILE, {"network": {"hostname": "node1"}}, "f")], inventory, for_show=True
    )
    state = State(sections={"network": {"hostname": "x"}}, install={"id": "1"})
    for hook in signatures().values():
        for argument, kind in hook.arguments.items():
            values = {
                "inventory": inventory, "answers": seen.answers, "state": state, "capability": "disk-layout",
                "install_id": "x", "section": "network", "values": {"a": [1, None]}, "version": 3,
                "event": Event(EventKind.RUN_DONE, 1.0),
            }  # fmt: skip
            if argument == "target" and seen.plan.layout:
                values["target"] = Target(seen.plan.layout, "id", "now", ("quiet",))
            elif argument == "disk" and inventory.disks:
                values["disk"] = inventory.disks[0]
            if argument not in values or argument == "event":
                continue
            again = argument_from_json(
                kind,
                argument_to_json(kind, values[argument]),
                lambda plugin, key: None if plugin else models[key],
            )
            assert again == values[argument], (hook.name, argument)


def test_answers_have_each_section_by_the_model_of_its_plugin() -> None:
    section, _ = there(LAMP)
    answers = Answers(
        {"lamp": section.model.model_validate({"level": 3})}, {"lamp.level": Origin(Precedence.KERNEL, "x")}
    )
    text = argument_to_json(Answers, answers)
    again = argument_from_json(
        Answers, text, lambda plugin, key: Lamp if (plugin, key) == ("vendor", "lamp") else None
    )
    assert again[Lamp].level == 3
    assert again[Lamp].model_fields_set == {"level"}
    assert again.origin("lamp.level") == Origin(Precedence.KERNEL, "x")


def through(hook: str, value: Any) -> Any:
    """Give what comes of a result on the other side, with the complaints."""
    signature = signatures()[hook]
    data = json.loads(json.dumps(result_to_data(signature, value, lambda _: None)))
    taken = result_from_data(signature, data, "vendor", lambda _: OwnModel(Lamp))
    return taken.value, list(taken.complaints)


ODD = "characters that can't stand there"
PROBLEM = Problem("a", "b", "c", "d", Origin(Precedence.FILE, "x"), "", Severity.WARNING, Blame.LATER)


@pytest.mark.parametrize(
    ("hook", "value"),
    [
        ("node_support", Support.VENDOR),
        ("node_disk_layout", LayoutProposal(None, (PROBLEM,))),
        ("node_veto_disk", (PROBLEM,)),
        ("node_validate", ()),
        ("node_kernel_args", ("quiet", "a=b c")),
        (
            "node_render",
            (RenderedFile("/etc/x", "\x1b[1m\n", 0o600, live=(("a", "b"),)), RenderedFile("/y", target="z")),
        ),
        ("node_persist_paths", ("/etc/x",)),
        ("node_probe", {"a": [1, 2.5, None, {"b": "\x1b"}]}),
        ("node_migrate", {"a": 1}),
        ("node_status_panels", (StatusLine("a", "b", False, "c"),)),
    ],
)
def test_results_arrive_as_they_were(hook: str, value: Any) -> None:
    assert through(hook, value) == (value, [])


def test_a_layout_arrives_as_it_was() -> None:
    seen = look(load_plugins(), [], machine("vm-virtio-blank"), for_show=True)
    assert isinstance(seen.plan.layout, Layout)
    assert through("node_disk_layout", LayoutProposal(seen.plan.layout))[0].layout == seen.plan.layout


@pytest.mark.parametrize(
    ("hook", "value", "words"),
    [
        ("node_validate", "ab", ["gave a str in node_validate, not a tuple"]),
        ("node_validate", {"a": 1}, ["gave a dict in node_validate, not a tuple"]),
        ("node_validate", 7, ["gave a int in node_validate, not a tuple"]),
        ("node_validate", None, []),
        ("node_validate", [7, 7], ["gave a int in node_validate, not a Problem"]),
        ("node_kernel_args", ["a\nb"], [f"gave a text with {ODD}"]),
        ("node_persist_paths", ["/a\x00"], [f"gave a text with {ODD}"]),
        ("node_render", [RenderedFile("/a\n")], [f"gave a file whose name has {ODD}"]),
    ],
)  # fmt: skip
def test_what_is_none_is_left_out_and_named(hook: str, value: Any, words: list[str]) -> None:
    assert through(hook, value) == ((), words)


@pytest.mark.parametrize(
    "data", [None, [], {"items": 7}, {"items": [7]}, {"items": [{}]}, {"items": [{"value": {"code": 1}}]}]
)
def test_whatever_a_host_writes_nothing_but_problems_come_of_it(data: Any) -> None:
    signature = signatures()["node_validate"]
    try:
        taken = result_from_data(signature, data, "vendor", lambda _: OwnModel(Lamp))
    except (ValueError, TypeError, LookupError):
        return
    assert taken.value == ()


def test_a_step_is_known_by_its_words_and_made_again_from_its_data() -> None:
    (planned,), complaints = through("node_plan", [PlannedStep("vendor", Shine(3, "secret-word"), "someone")])
    assert complaints == []
    assert planned.owner == "vendor"
    assert planned.step.summary() == "Shine at 3 ********"
    assert (planned.step.has_undo, planned.step.has_finish, planned.step.timeout_s) == (False, False, 120.0)
    assert step_to_data(planned.step)["word"] == "********"
    assert step_from_data(step_to_data(planned.step, reveal=True)) == Shine(3, "secret-word")


def test_words_are_made_fit_to_be_shown() -> None:
    assert shown("a\nb\x1b[31m\u202e") == "a b\ufffd[31m\ufffd"
    assert shown("x" * 3000).endswith("...")
    assert sound({"a\ud800": ["\udfff"]}) == {"a?": ["?"]}
    assert shown_all(PROBLEM) is PROBLEM
    assert shown_all(StatusLine("a\x07", "b")).term == "a\ufffd"


def test_messages_have_a_length() -> None:
    frame = to_frame({"a": "\ud800"})
    assert from_body(frame[4:]) == {"a": "\ud800"}
    for wrong in (float("nan"), object(), "x" * 20):
        with pytest.raises(FrameError):
            to_frame(wrong, most=10)
    with pytest.raises(FrameError):
        from_body(b"{")


def test_the_hooks_of_a_plugin_are_those_that_can_be_called() -> None:
    from node.hookspecs import hookimpl

    class Plugin:
        @hookimpl
        def node_validate(self, inventory: Inventory, more: int = 1) -> None: ...

        @hookimpl(specname="node_probe")
        def facts(self) -> None: ...

        @hookimpl
        def node_vaildate(self) -> None: ...

        @hookimpl
        def node_plan(self, answer: Any) -> None: ...

        @hookimpl(wrapper=True)
        def node_render(self) -> Any: ...

        def node_kernel_args(self) -> None: ...

    found = implemented(Plugin())
    assert [(one.hook, one.arguments) for one in found.hooks] == [
        ("node_validate", ("inventory",)),
        ("node_probe", ()),
    ]
    assert found.wrong == (
        "node_plan wants the argument answer; there are: answers, inventory, target",
        "node_render wraps other plugins' answers, which none may",
        "node_vaildate is no hook; did you mean node_validate?",
        "node_kernel_args has no @hookimpl, so that nobody calls it",
    )
