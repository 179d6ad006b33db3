"""A plugin from outside is like any other: its section, its steps, its files and its words."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from node.cli import main
from node.demo.system import DemoSystem
from node.errors import StepFailedError
from node.installer.answers import merge, validate
from node.installer.docs import answers_page, kernel_arguments_page
from node.installer.engine import run_plan
from node.installer.journal import read_journal
from node.installer.keys import KnownKeys
from node.installer.plan_text import plan_to_data
from node.installer.schema import json_schema
from node.installer.sources.kernel import read_kernel_arguments
from node.installer.tui.session import Session
from node.model.answers import Layer
from node.model.event import Event, EventKind
from node.model.origin import Precedence
from node.model.system import System
from node.plugin_host import zygote
from tests.plugins.conftest import Loader
from tests.plugins.site import Site
from tests.plugins.test_misbehaving import ANSWERS, BLANK, planned, stays_good

TOKEN = "a-token-nobody-may-see"


def system(progress: Any, say: Any) -> System:
    made: System = DemoSystem(BLANK, progress, say, seconds=0.0)
    return made


def checked(load: Loader, values: Mapping[str, Any]) -> tuple[Any, list[str]]:
    talk = load.talk()
    answers, problems = validate(merge([Layer(Precedence.FILE, {"good": values}, "file")]), talk.models())
    return answers, [f"{one.code} {one.where}: {one.what}. {one.mend}" for one in problems]


def test_its_section_is_judged_by_its_own_model(site: Site, load: Loader) -> None:
    site.good()
    answers, problems = checked(load, {"level": "4", "words": ["kind"]})
    assert problems == []
    assert answers.sections["good"].model_dump(exclude_defaults=True) == {"level": 4, "words": ("kind",)}
    assert answers.persistent()["good"] == {"level": 4, "words": ["kind"]}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"level": 12}, "wrong-value good.level: should be less than or equal to 9. Correct it"),
        ({"level": "much"}, "wrong-type good.level: is 'much'. Write a whole number (How good)"),
        ({"levl": 1}, "unknown-key good.levl: is not a known key. Did you mean good.level?"),
        ({"words": ["bad"]}, "bad-word good.words: holds a bad word. Find a better one"),
        (7, "wrong-type good: is not what it must be. Write a mapping of keys to values"),
    ],
)
def test_what_its_model_refuses_reads_like_any_other_problem(
    values: Any, words: str, site: Site, load: Loader
) -> None:
    site.good()
    answers, problems = checked(load, values)
    assert problems == [words]
    assert answers.sections["good"].model_dump(exclude_defaults=True) == {}


def test_its_section_is_in_schema_docs_kernel_arguments_and_screens(site: Site, load: Loader) -> None:
    site.good()
    talk = load.talk()
    schema = json_schema(talk.sections())
    good = schema["$defs"]["good"]
    assert good["properties"]["level"] == {
        "default": 3,
        "description": "How good.",
        "maximum": 9,
        "minimum": 0,
        "title": "Level",
        "type": "integer",
    }
    assert good["additionalProperties"] is False
    assert "| `good.level` | number | `3` | How good. |" in answers_page(talk.sections())
    assert "    node.good.words\n" in kernel_arguments_page(talk.sections())
    read = read_kernel_arguments("node.good.level=7 node.good.words=a,b", KnownKeys(talk.models()))
    assert read.layer.values["good"] == {"level": "7", "words": ["a", "b"]}
    session = Session(talk, BLANK)
    assert session.value("good.level") == 3
    (page,) = [page for page in session.pages if page.key == "good"]
    assert (page.title, page.fields[0].label) == ("Goodness", "Level")


def test_its_step_is_in_the_plan_with_its_secret_masked(site: Site, load: Loader) -> None:
    site.good()
    seen = planned(load.talk(), good={"level": 9, "token": TOKEN})
    (step,) = [one.step for one in seen.plan.steps if one.owner == "good"]
    assert step.summary() == "Be good at level 9 (********)"
    assert step.timeout_s == 7.0
    data = plan_to_data(seen.plan, BLANK)
    (told,) = [one for one in data["steps"] if one["owner"] == "good"]
    assert told["step"] == "good_plugin:BeGood"
    assert (told["level"], told["token"]) == (9, "********")
    assert TOKEN not in json.dumps(data)
    assert TOKEN not in repr(step)
    assert "too-good" in [one["code"] for one in data["problems"]]


def test_its_step_works_in_a_process_of_its_own(
    site: Site, load: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    monkeypatch.setenv("GOOD_PATH", str(mark))
    site.good()
    seen = planned(load.talk(), good={"token": TOKEN})
    events: list[Event] = []
    run_plan(seen.plan, system_factory=system, observers=[events.append], journal=tmp_path / "journal")
    pid, module = mark.read_text().split()
    assert (int(pid) != os.getpid(), module) == (True, "good_plugin")
    assert "good_plugin" not in sys.modules
    assert events[-1].kind is EventKind.RUN_DONE
    assert "level 3, token ********" in [event.message for event in events]
    assert TOKEN not in (tmp_path / "journal").read_text()


FAILING = """
@dataclass(frozen=True)
class Break(Step):
    timeout_s: ClassVar[float] = 1.0
    def summary(self): return "Break"
    def apply(self, system):
        print("last words")
        {how}
    def undo(self, system): system.say("mended")
    def aftermath(self): return "as it was"


@hookimpl
def node_plan(): return [PlannedStep("vendor", Break())]
"""


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise RuntimeError('no power')", "RuntimeError: no power"),
        ("time.sleep(600)", "it did not end within 1 s and was killed"),
        ("ctypes.string_at(1)", "it was killed by SIGSEGV"),
        ("os._exit(0)", "it ended with status 0 without saying that it is done"),
        ("sys.exit(0)", "it called exit(0) instead of returning"),
    ],
)
def test_a_step_that_fails_is_named_and_everything_is_undone(
    how: str, words: str, site: Site, load: Loader, tmp_path: Path
) -> None:
    site.good()
    site.add("breaks", FAILING.format(how=how))
    seen = planned(load.talk())
    with pytest.raises(StepFailedError) as failed:
        run_plan(seen.plan, system_factory=system, observers=[], journal=tmp_path / "journal")
    assert (failed.value.step, failed.value.owner) == ("Break", "breaks")
    assert failed.value.brief == f"Break: {words}"
    assert failed.value.disk_state.startswith("as it was; ")
    told = [(one.get("owner"), one.get("message")) for one in read_journal(tmp_path / "journal")]
    assert ("breaks", "mended") in told
    assert ("good", "undone") not in told[: told.index(("breaks", "mended"))]


def test_all_its_other_hooks_are_asked(site: Site, load: Loader) -> None:
    site.good()
    plugins = load()
    assert [one.value for one in plugins.call("node_probe", inventory=BLANK) if one.plugin == "good"] == [
        {"disks": 1}
    ]
    panels = {
        one.plugin: one.value for one in plugins.call("node_status_panels", only="good", inventory=BLANK)
    }
    assert panels["good"][0].value == "very"
    old = {"version": 1, "sections": {"good": {}}}
    assert plugins.migrate(old)["sections"] == {"good": {}}
    assert planned(load.talk()).plan.steps


def test_threads_may_ask_at_once(site: Site, load: Loader) -> None:
    site.good()
    plugins = load()
    found: list[Any] = []

    def ask() -> None:
        for _ in range(20):
            found.extend(one.value for one in plugins.call("node_probe", only="good", inventory=BLANK))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"disks": 1}] * 80


def test_a_host_at_rest_comes_back_when_it_is_asked(site: Site, load: Loader) -> None:
    site.good()
    plugins = load()
    first = plugins._host._channel.pid
    plugins.rest()
    assert plugins._host._channel is None
    assert not Path(f"/proc/{first}").exists()
    stays_good(plugins)
    assert plugins._host._channel.pid != first
    assert plugins.problems == []


def test_a_process_with_threads_starts_the_host_anew(
    site: Site, load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.plugin_host.zygote_handle.has_threads", lambda: True)
    monkeypatch.setattr(zygote, "fork_zygote", lambda _: pytest.fail("forked"))
    site.good()
    stays_good(load())


def test_without_plugins_there_is_no_host(site: Site, load: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_PLUGINS", "")
    site.good()
    plugins = load()
    assert plugins._host is None
    record = plugins.record("good")
    assert record is not None
    assert (record.state, record.distribution) == ("left out", "good-dist")
    assert record.why == "NODECRUST_PLUGINS leaves it out"


def test_nodectl_plugins_shows_them_all(site: Site, soon: None, capsys: pytest.CaptureFixture[str]) -> None:
    site.good()
    site.add("crashes", "@hookimpl\ndef node_validate(): ctypes.string_at(1)", version="2.5")
    site.add("tomorrow", "", keywords="nodecrust-api=7")
    assert main.run(["plugins", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    by_name = {one["name"]: one for one in told["plugins"]}
    good = by_name["good"]
    assert (good["state"], good["built_in"], good["distribution"], good["version"]) == (
        "loaded",
        False,
        "good-dist",
        "1.0",
    )
    assert good["calls"]["node_plan"]["times"] == 1
    assert good["import_ms"] > 0
    assert (by_name["crashes"]["state"], by_name["crashes"]["version"]) == ("failed", "2.5")
    assert (by_name["tomorrow"]["state"], by_name["tomorrow"]["calls"]) == ("refused", {})
    assert {one["owner"] for one in told["problems"]} == {"crashes", "tomorrow"}
    assert main.run(["plugins", "--trace-hooks"]) == 0
    captured = capsys.readouterr()
    assert "crashes" in captured.out
    assert "hook node_plan of good (plugin host): " in captured.err
    assert max(map(len, captured.out.splitlines())) <= 80


def test_whoever_traces_calls_sees_where_one_failed(
    site: Site, soon: None, capsys: pytest.CaptureFixture[str]
) -> None:
    site.add("absent", "import nowhere")
    site.add("raises", "@hookimpl\ndef node_validate(): return helper()\ndef helper(): return {}['fan']")
    assert main.run(["plugins"]) == 0
    assert "import nowhere" not in capsys.readouterr().err
    assert main.run(["plugins", "--trace-hooks"]) == 0
    told = capsys.readouterr().err
    assert "  |     import nowhere\n" in told
    assert "in helper" in told
    assert "  | KeyError: 'fan'\n" in told


def test_answers_for_one_that_is_not_there_are_left_out(site: Site, load: Loader) -> None:
    site.add("acme-raid", "import nowhere")
    seen = planned(load.talk(), acme_raid={"level": 5, "secret": "x"}, good={})
    problems = {one.code: one for one in seen.plan.problems}
    assert problems["section-left-out"].where == "acme_raid"
    assert problems["unknown-section"].where == "good"


def test_a_section_of_one_that_crashes_at_the_check_is_kept_as_it_was_said(site: Site, load: Loader) -> None:
    site.good()
    site.add(
        "fragile",
        """
        class Fragile(SectionModel):
            key: ClassVar[str] = "fragile"
            persists: ClassVar[bool] = True
            word: str = ""
            @field_validator("word")
            @classmethod
            def crash(cls, word: str) -> str:
                return word if not word else ctypes.string_at(1)

        @hookimpl
        def node_sections(): return [Section(Fragile, "Fragile")]
        """,
    )
    talk = load.talk()
    seen = planned(talk, fragile={"word": "x"})
    assert not seen.plan.refused
    assert seen.answers.persistent()["fragile"] == {"word": "x"}
    (problem,) = [one for one in seen.plan.problems if one.owner == "fragile"]
    assert "SIGSEGV) in the check of its section 'fragile'" in problem.what
    assert planned(talk, plugins={"required": ["fragile"]}).plan.refused


def test_words_of_its_section_and_step_are_fit_to_be_shown(site: Site, load: Loader) -> None:
    site.add(
        "escapes",
        """
        class Escapes(SectionModel):
            key: ClassVar[str] = "escapes"
            word: str = Field("", description="A \\x1b[31mred\\nword")

        @dataclass(frozen=True)
        class Paint(Step):
            def summary(self): return "Paint \\x1b[31mred\\u202e and \\ud800"

        @hookimpl
        def node_sections(): return [Section(Escapes, "Esc\\x07apes", pages=(Page("e", "T\\x00itle"),))]

        @hookimpl
        def node_plan(): return [PlannedStep("vendor", Paint())]
        """,
    )
    talk = load.talk()
    section = talk.sections()[-1]
    assert (section.title, section.pages[0].title) == ("Esc\ufffdapes", "T\ufffditle")
    found = [one.step.summary() for one in look_at(talk).plan.steps if one.owner == "escapes"]
    assert found == ["Paint \ufffd[31mred\ufffd and ?"] or found[0].isprintable()


def look_at(talk: Any) -> Any:
    from node.installer.flow import look

    sections = {key: value for key, value in ANSWERS.items() if key != "good"}
    return look(talk, [Layer(Precedence.FILE, sections)], BLANK, for_show=True)
