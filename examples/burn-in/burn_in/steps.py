"""The tests: each with a limit, none writes to a disk, and each leaves a result whatever happens to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from burn_in.results import KEPT, NOTES, TESTS, note, noted
from node.errors import CommandFailedError, NodeError
from node.model.health import Outcome
from node.model.step import Step
from node.model.system import Completed, System

# How much longer than asked for a program may take before it is ended.
GRACE_S = 60
FOLDERS = ("/usr/bin", "/usr/sbin")


@dataclass(frozen=True)
class BurnStep(Step):
    """A test by one program. What goes wrong is a result; JudgeBurnIn says whether that stops anything."""

    timeout_s: ClassVar[float] = 4 * 3600.0
    name: ClassVar[str]
    program: ClassVar[str]

    def apply(self, system: System) -> None:
        """Run it and note how it ended."""
        if not any(system.files.exists(Path(folder, self.program)) for folder in FOLDERS):
            note(system, self.name, Outcome.SKIPPED, f"this image has no {self.program}")
            return
        try:
            done = system.commands.run(self.argv(), timeout_s=self.limit_s() + GRACE_S, check=False)
        except CommandFailedError as error:
            note(system, self.name, Outcome.FAILED, error.brief)
            return
        note(system, self.name, *self.judge(done))

    def undo(self, system: System) -> None:
        """Forget the result."""
        system.files.remove(NOTES / f"{self.name}.json")

    def argv(self) -> Sequence[str]:
        """Give the command line."""
        raise NotImplementedError

    def limit_s(self) -> int:
        """Give how long the program may take by itself."""
        raise NotImplementedError

    def judge(self, done: Completed) -> tuple[Outcome, str]:
        """Say what its end means."""
        if done.status:
            lines = (done.errors or done.output).strip().splitlines()
            return Outcome.FAILED, f"{self.program}: {lines[-1] if lines else f'status {done.status}'}"[:200]
        return Outcome.PASSED, ""


@dataclass(frozen=True)
class StressProcessors(BurnStep):
    """All processors at once, with the results verified."""

    name: ClassVar[str] = "processors"
    program: ClassVar[str] = "stress-ng"

    seconds: int

    def summary(self) -> str:
        """Say it."""
        return f"Try the processors for {self.seconds // 60} min"

    def limit_s(self) -> int:
        """As long as was asked for."""
        return self.seconds

    def argv(self) -> Sequence[str]:
        """One worker a processor."""
        return ("stress-ng", "--cpu", "0", "--verify", "--timeout", f"{self.seconds}s", "--temp-path", "/run")


@dataclass(frozen=True)
class TryMemory(BurnStep):
    """A share of the memory, once through every pattern."""

    name: ClassVar[str] = "memory"
    program: ClassVar[str] = "memtester"

    mebibytes: int

    def summary(self) -> str:
        """Say it."""
        return f"Try {self.mebibytes} MiB of memory"

    def limit_s(self) -> int:
        """A slow machine does 5 MiB a second."""
        return max(300, self.mebibytes // 5)

    def argv(self) -> Sequence[str]:
        """One loop."""
        return ("memtester", f"{self.mebibytes}M", "1")


@dataclass(frozen=True)
class ReadDisk(BurnStep):
    """Read the disk that was chosen, and never write to it."""

    name: ClassVar[str] = "disk"
    program: ClassVar[str] = "fio"

    node: str
    seconds: int
    least_mib_s: int = 0

    def summary(self) -> str:
        """Say it."""
        return f"Read {self.node} for {self.seconds // 60} min"

    def limit_s(self) -> int:
        """As long as was asked for."""
        return self.seconds

    def argv(self) -> Sequence[str]:
        """`--readonly` makes fio refuse every write by itself."""
        return ("fio", "--name=burn-in", f"--filename={self.node}", "--readonly", "--rw=read", "--direct=1",
                "--bs=1M", "--time_based", f"--runtime={self.seconds}", "--output-format=json")  # fmt: skip

    def judge(self, done: Completed) -> tuple[Outcome, str]:
        """Count errors, and judge the speed."""
        if done.status:
            return super().judge(done)
        try:
            job = json.loads(done.output[done.output.index("{") :])["jobs"][0]
            errors, speed = int(job["error"]), int(job["read"]["bw_bytes"]) >> 20
        except (ValueError, KeyError, IndexError, TypeError):
            return Outcome.SKIPPED, "fio printed nothing that can be understood"
        if errors:
            return Outcome.FAILED, f"error {errors} while reading"
        words = f"{speed} MiB/s"
        if speed < self.least_mib_s:
            return Outcome.DEGRADED, f"{words}; {self.least_mib_s} were asked for"
        return Outcome.PASSED, words


@dataclass(frozen=True)
class JudgeBurnIn(Step):
    """Stop here, before the first write, where a test failed."""

    def summary(self) -> str:
        """Say it."""
        return "Go on only if no test of this machine failed"

    def apply(self, system: System) -> None:
        """Raise where one did."""
        failed = [one for one in noted(system) if one["outcome"] == Outcome.FAILED.value]
        if failed:
            raise NodeError(
                f"this machine failed its burn-in: {', '.join(one['name'] for one in failed)}",
                details="\n".join(f"{one['name']}: {one['words']}" for one in failed),
                mend="Mend the machine, or install it with burn_in.required: false",
            )


@dataclass(frozen=True)
class KeepResults(Step):
    """Put the results on CONFIG, where the status of the node finds them."""

    def summary(self) -> str:
        """Say it."""
        return "Keep the results of the burn-in on CONFIG"

    def apply(self, system: System) -> None:
        """Write them as one file, once what an earlier CONFIG has there (storage.keep) is kept."""
        file, before = _files(system)
        if not system.files.exists(before):
            system.files.write(before, system.files.read(file) if system.files.exists(file) else b"")
        system.files.write(file, json.dumps(noted(system)).encode())

    def undo(self, system: System) -> None:
        """Put back what was there; where nothing is kept, nothing was written either."""
        file, before = _files(system)
        if not system.files.exists(before):
            return
        if contents := system.files.read(before):
            system.files.write(file, contents)
        else:
            system.files.remove(file)
        system.files.remove(before)

    def finish(self, system: System) -> None:
        """Forget what was there: the installation is done."""
        system.files.remove(_files(system)[1])


def _files(system: System) -> tuple[Path, Path]:
    """Give the file of the results, and the one that keeps what was there before."""
    file = system.root / "config" / KEPT
    return file, file.with_name(f"{file.name}.before")


def tests(*, minutes: int, mebibytes: int, node: str, least_mib_s: int) -> Sequence[BurnStep]:
    """Give the tests in the order of `TESTS`."""
    found = (
        StressProcessors(minutes * 60),
        TryMemory(mebibytes),
        ReadDisk(node, minutes * 60, least_mib_s),
    )
    assert tuple(one.name for one in found) == TESTS
    return found
