"""The engine against steps that behave in every bad way there is; each runs in a real child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

from node.errors import InputError, NodeError, StepFailedError, TryAgainError
from node.installer import engine
from node.installer.engine import run_plan
from node.installer.journal import read_journal
from node.installer.tui.runner import EngineProcess
from node.model.event import Event, EventKind
from node.model.mask import MASK
from node.model.plan import Plan
from node.model.problem import Blame, Problem, Severity
from node.model.step import PlannedStep, Step
from node.system.commands import LiveCommands

pytestmark = pytest.mark.effects("processes", "writes")

ID = UUID("00000000-0000-4000-8000-000000000001")
HASH = "$y$j9T$c2FsdHNhbHQ$Qb8d0m5JpW8hH1h2"


class Talk:
    """A system that can only speak."""

    def __init__(self, progress: Any, say: Any) -> None:
        self.progress = progress
        self.say = say


@dataclass(frozen=True)
class Note(Step):
    """Writes its own name and what it does to a file, so that a test sees the order across processes."""

    log: Path
    name: str
    how: str = ""
    undo_how: str = ""
    finish_how: str = ""
    after: str = ""

    timeout_s: ClassVar[float] = 0.5

    def summary(self) -> str:
        return f"Note {self.name}"

    def apply(self, system: Any) -> None:
        self._note("apply")
        misbehave(self.how, system)

    def undo(self, system: Any) -> None:
        self._note("undo")
        misbehave(self.undo_how, system)

    def finish(self, system: Any) -> None:
        self._note("finish")
        misbehave(self.finish_how, system)

    def aftermath(self) -> str:
        return self.after

    def _note(self, what: str) -> None:
        with self.log.open("a") as file:
            file.write(f"{what} {self.name}\n")


@dataclass(frozen=True)
class Patient(Note):
    """A step that works until a file says that it is enough."""

    timeout_s: ClassVar[float] = 100.0

    def apply(self, system: Any) -> None:
        super().apply(system)
        while not (self.log.parent / "enough").exists():
            time.sleep(0.02)


def misbehave(how: str, system: Any) -> None:
    match how:
        case "exit":
            sys.exit(3)
        case "exit-quietly":
            os._exit(0)
        case "hang":
            time.sleep(60)
        case "hang-deaf":
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(60)
        case "raise":
            print("the tool's last words")
            raise ValueError("a bug")
        case "error":
            raise NodeError("the disk is tired", details="sector 7", mend="Let it rest")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "nonsense":
            for fd in range(3, 64):
                try:
                    os.write(fd, b"\xff\x00 garbage\n")
                except OSError:
                    continue
        case "loud":
            print("x" * 1_000_000)
        case "talk":
            system.say("half way")
            for done in range(0, 1001):
                system.progress(done, 1000)


def plan(*steps: Step, problems: tuple[Problem, ...] = ()) -> Plan:
    return Plan(ID, None, tuple(PlannedStep("check", step, "tester") for step in steps), problems)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def run(tmp_path: Path, a_plan: Plan, observers: tuple[Any, ...] = ()) -> list[Event]:
    events: list[Event] = []
    run_plan(
        a_plan,
        system_factory=Talk,  # type: ignore[arg-type]
        observers=[*observers, events.append],
        journal=tmp_path / "journal.jsonl",
    )
    return events


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


def test_steps_are_applied_in_order_and_finished_in_reverse(tmp_path: Path, log: Path):
    events = run(tmp_path, plan(Note(log, "a"), Note(log, "b")))
    assert lines(log) == ["apply a", "apply b", "finish b", "finish a"]
    kinds = [event.kind for event in events]
    assert kinds == [
        EventKind.RUN_STARTED,
        EventKind.STEP_STARTED,
        EventKind.STEP_DONE,
        EventKind.STEP_STARTED,
        EventKind.STEP_DONE,
        EventKind.RUN_DONE,
    ]


def test_a_second_run_is_refused_as_long_as_the_first_goes_on(tmp_path: Path, log: Path):
    refused: list[NodeError] = []

    def begin_another(event: Event) -> None:
        if event.kind is EventKind.STEP_DONE:
            with pytest.raises(TryAgainError, match="running on this machine already") as caught:
                run(tmp_path, plan(Note(log, "second")))
            refused.append(caught.value)

    run(tmp_path, plan(Note(log, "first")), (begin_another,))
    assert len(refused) == 1
    assert str(tmp_path / "journal.jsonl") in refused[0].mend
    assert lines(log) == ["apply first", "finish first"]
    run(tmp_path, plan(Note(log, "third")))
    assert "apply third" in lines(log)


def test_a_run_is_alone_whatever_becomes_of_who_watches_it(tmp_path: Path, log: Path):
    """The screens die beside their engine; whoever asks in single lines then can't begin a second run."""

    def install(a_plan: Plan, observers: Any) -> None:
        run_plan(a_plan, system_factory=Talk, observers=observers, journal=tmp_path / "journal.jsonl")  # type: ignore[arg-type]

    engine_process = EngineProcess(plan(Patient(log, "a")), install)
    engine_process.close()  # nobody hears it any more
    until = time.monotonic() + 60
    while not log.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    with pytest.raises(TryAgainError):
        run(tmp_path, plan(Note(log, "b")))
    (tmp_path / "enough").touch()
    os.waitpid(engine_process._pid, 0)
    assert lines(log) == ["apply a", "finish a"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("exit", "exit(3)"),
        ("exit-quietly", "without saying that it is done"),
        ("hang", "did not end within 0.5 s"),
        ("hang-deaf", "did not end within 0.5 s"),
        ("raise", "ValueError: a bug"),
        ("error", "the disk is tired"),
        ("killed", "SIGKILL"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_step_that_misbehaves_is_named_and_everything_begun_is_undone(
    tmp_path: Path, log: Path, how: str, words: str
):
    steps = (Note(log, "a", after="disk x is empty"), Note(log, "b", how), Note(log, "never"))
    with pytest.raises(StepFailedError) as caught:
        run(tmp_path, plan(*steps))
    error = caught.value
    assert words in error.brief
    assert error.brief.startswith("Note b")
    assert (error.step, error.owner) == ("Note", "tester")
    assert error.disk_state == "disk x is empty"
    assert error.mend
    assert lines(log) == ["apply a", "apply b", "undo b", "undo a"]


def test_last_words_and_the_way_to_mend_come_along(tmp_path: Path, log: Path):
    with pytest.raises(StepFailedError) as caught:
        run(tmp_path, plan(Note(log, "a", "error")))
    assert (caught.value.details, caught.value.mend) == ("sector 7", "Let it rest")
    with pytest.raises(StepFailedError) as caught:
        run(tmp_path, plan(Note(log, "a", "raise")))
    assert caught.value.details.endswith("the tool's last words")


@pytest.mark.parametrize("undo_how", ["raise", "exit-quietly", "killed", "nonsense"])
def test_an_undo_that_fails_is_told_and_the_others_still_run(tmp_path: Path, log: Path, undo_how: str):
    steps = (Note(log, "a", after="all clear"), Note(log, "b", undo_how=undo_how), Note(log, "c", "error"))
    with pytest.raises(StepFailedError) as caught:
        run(tmp_path, plan(*steps))
    assert lines(log)[-3:] == ["undo c", "undo b", "undo a"]
    assert "not taken back: Note b" in caught.value.disk_state
    assert "all clear" in caught.value.disk_state
    kinds = [record["event"] for record in read_journal(tmp_path / "journal.jsonl")]
    assert kinds.count("undo-failed") == 1


def test_an_undo_that_hangs_is_ended(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "RELEASE_TIMEOUT_S", 0.3)
    with pytest.raises(StepFailedError) as caught:
        run(tmp_path, plan(Note(log, "a"), Note(log, "b", "error", undo_how="hang")))
    assert "did not end within 0.3 s" in caught.value.disk_state
    assert lines(log)[-1] == "undo a"


def test_a_finish_that_fails_undoes_the_whole_run(tmp_path: Path, log: Path):
    steps = (Note(log, "a", finish_how="error"), Note(log, "b"))
    with pytest.raises(StepFailedError, match="Note a: the disk is tired"):
        run(tmp_path, plan(*steps))
    assert lines(log) == ["apply a", "apply b", "finish b", "finish a", "undo b", "undo a"]


def test_where_no_disk_was_touched_the_error_says_so(tmp_path: Path, log: Path):
    with pytest.raises(StepFailedError) as caught:
        run(tmp_path, plan(Note(log, "a", "error")))
    assert caught.value.disk_state == "nothing was written to any disk"


def test_an_observer_that_raises_changes_nothing(tmp_path: Path, log: Path):
    def broken(event: Event) -> None:
        raise RuntimeError("no screen")

    events = run(tmp_path, plan(Note(log, "a")), observers=(broken,))
    assert events[-1].kind is EventKind.RUN_DONE


def test_progress_is_thinned_out_but_its_end_is_told(tmp_path: Path, log: Path):
    events = run(tmp_path, plan(Note(log, "a", "talk")))
    told = [event for event in events if event.kind is EventKind.STEP_PROGRESS]
    assert told[0].message == "half way"
    assert (told[-1].done, told[-1].total) == (1000, 1000)
    assert len(told) < 50


def test_a_step_that_prints_a_lot_does_not_block(tmp_path: Path, log: Path):
    run(tmp_path, plan(Note(log, "a", "loud")))


@dataclass(frozen=True)
class Whisper(Step):
    """Has secrets and tells them."""

    secret_fields: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    password: str = HASH

    def summary(self) -> str:
        return f"Whisper {self.token}"

    def apply(self, system: Any) -> None:
        system.say(f"token {self.token}")
        print(f"printed {self.token} {self.password}")
        raise NodeError(f"bad {self.token}", details=f"root:{HASH}:1", mend=self.token)


def test_no_secret_reaches_a_journal_an_event_or_an_error(tmp_path: Path):
    events: list[Event] = []
    with pytest.raises(StepFailedError) as caught:
        run(tmp_path, plan(Whisper("correct horse", password="")), observers=(events.append,))
    error = caught.value
    shown = f"{error.brief}{error.details}{error.mend}{error.disk_state}{events}"
    shown += (tmp_path / "journal.jsonl").read_text()
    assert "correct horse" not in shown
    assert "$y$" not in shown
    assert MASK in error.brief


def test_the_journal_has_a_line_before_each_step(tmp_path: Path, log: Path):
    journal = tmp_path / "journal.jsonl"

    @dataclass(frozen=True)
    class Look(Step):
        def summary(self) -> str:
            return "Look"

        def apply(self, system: Any) -> None:
            last = read_journal(journal)[-1]
            assert (last["event"], last["step"]) == ("step-started", "Look")

    run(tmp_path, plan(Note(log, "a"), Look()))
    first = read_journal(journal)[0]
    assert first["install_id"] == str(ID)
    assert [step["summary"] for step in first["steps"]] == ["Note a", "Look"]
    assert journal.stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_of_a_journal_is_left_out(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({"event": "run-started"}) + '\n{"event": "step-st')
    assert read_journal(path) == [{"event": "run-started"}]


def test_a_plan_with_errors_is_refused_with_all_of_them(tmp_path: Path, log: Path):
    def problem(blame: Blame, severity: Severity = Severity.ERROR) -> Problem:
        return Problem("x", "there", "what", "Mend it", severity=severity, blame=blame)

    stopping = (problem(Blame.ANSWERS), problem(Blame.MACHINE))
    with pytest.raises(InputError) as caught:
        run(tmp_path, plan(Note(log, "a"), problems=(*stopping, problem(Blame.ANSWERS, Severity.WARNING))))
    assert caught.value.problems == stopping
    assert not log.exists()
    run(tmp_path, plan(Note(log, "a"), problems=(problem(Blame.ANSWERS, Severity.WARNING),)))


def test_a_step_that_can_not_say_what_it_does_fails_before_anything_is_done(tmp_path: Path, log: Path):
    class Mute(Note):
        def summary(self) -> str:
            raise RuntimeError("mute")

    with pytest.raises(RuntimeError):
        run(tmp_path, plan(Note(log, "a"), Mute(log, "b")))
    assert not log.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_a_failure_with_undo(tmp_path: Path, log: Path, number: int):
    @dataclass(frozen=True)
    class Signalled(Note):
        timeout_s: ClassVar[float] = 30.0

        def apply(self, system: Any) -> None:
            os.kill(os.getppid(), number)
            time.sleep(30)

    began = time.monotonic()
    before = signal.getsignal(number)
    with pytest.raises(StepFailedError, match="interrupted"):
        run(tmp_path, plan(Note(log, "a"), Signalled(log, "b")))
    assert time.monotonic() - began < 10
    assert lines(log) == ["apply a", "undo b", "undo a"]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("shell", ["sh", "setsid sh"])
def test_no_program_of_a_step_outlives_it_and_writes_on(tmp_path: Path, shell: str):
    """As a mkfs would that hangs while the disk it writes to is taken back."""
    pids = tmp_path / "pids"

    @dataclass(frozen=True)
    class Hang(Step):
        timeout_s: ClassVar[float] = 1.0

        def summary(self) -> str:
            return "Hang"

        def apply(self, system: Any) -> None:
            script = f"echo $$ >> {pids}; sleep 300 & echo $! >> {pids}; wait"
            LiveCommands().run([*shell.split(), "-c", script])

        def undo(self, system: Any) -> None:
            living = [pid for pid in pids.read_text().split() if Path(f"/proc/{pid}").exists()]
            system.say(f"living: {living}")

    told: list[Event] = []
    with pytest.raises(StepFailedError, match="did not end within"):
        run(tmp_path, plan(Hang()), (told.append,))
    assert len(pids.read_text().split()) == 2
    assert "living: []" in [event.message for event in told]


def test_what_a_step_leaves_running_is_ended_with_it(tmp_path: Path, log: Path):
    @dataclass(frozen=True)
    class Leave(Step):
        pid_file: Path

        def summary(self) -> str:
            return "Leave"

        def apply(self, system: Any) -> None:
            left = subprocess.Popen(["sleep", "300"])
            self.pid_file.write_text(str(left.pid))

    pid_file = tmp_path / "pid"
    run(tmp_path, plan(Leave(pid_file)))
    stat = Path(f"/proc/{pid_file.read_text()}/stat")
    assert not stat.exists() or ") Z " in stat.read_text()
