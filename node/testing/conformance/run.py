"""Runs the stages, each in a process of its own that is ended with all that it started."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from node.hookspecs import API_VERSION, PROJECT
from node.model.health import HealthCheck, Outcome
from node.testing.conformance.candidate import Candidate
from node.testing.conformance.child import STAGES, finding_of
from node.testing.machines import machine_names

# A stage plans for a score of machines with each document of answers; a slow builder is no fault of a plugin.
STAGE_LIMIT_S = 600.0
_OUTPUT_MOST = 16 << 20
_LAST_WORDS = 500


def check_plugin(
    candidate: Candidate,
    *,
    answers: Sequence[str] = (),
    machines: Sequence[str] = (),
    programs: Mapping[str, str] | None = None,
    limit_s: float = STAGE_LIMIT_S,
    stages: Sequence[str] = tuple(STAGES),
    recorded: Sequence[str] = machine_names(),
) -> Iterator[HealthCheck]:
    """Give findings as they come: `failed` for what is wrong, `degraded` for what could not be judged well.

    `answers` are documents in YAML beside the empty one, `machines` recorded ones in JSON beside ours, and
    `programs` what programs print on the fake machine, by name. `stages` and `recorded` name those stages and
    recorded machines that are gone through; the stages of steps need that of `planning`.
    """
    yield from _of_metadata(candidate)
    several = len(candidate.points) > 1
    for name, value in candidate.points.items():
        work = {
            "name": name,
            "value": value,
            "paths": list(candidate.paths),
            "answers": ["", *answers],
            "machines": list(machines),
            "programs": dict(programs or {}),
            "found": [],
            "refused": "",
            "recorded": list(recorded),
        }
        for stage in stages:
            found, known = _run_stage(stage, work, limit_s)
            work |= known
            for finding in found:
                yield replace(finding, name=f"{name}: {finding.name}") if several else finding
            if stage == "load" and any(one.outcome is Outcome.FAILED for one in found):
                break


def _of_metadata(candidate: Candidate) -> Iterator[HealthCheck]:
    faults = []
    said = [word for word in candidate.keywords if word.startswith(f"{PROJECT}-api=")]
    if not said:
        faults.append(f'its keywords don\'t say for which interface it is: add "{PROJECT}-api={API_VERSION}"')
    for word in said:
        low, _, high = word.partition("=")[2].partition("-")
        if not low.isdigit() or not (high or low).isdigit():
            faults.append(f"'{word}' is no range: {PROJECT}-api=1 or {PROJECT}-api=1-2")
        elif not int(low) <= API_VERSION <= int(high or low):
            faults.append(f"'{word}' leaves out version {API_VERSION}, which this is")
    for name in candidate.points:
        if not name.replace("-", "").replace("_", "").isalnum():
            faults.append(f"'{name}' is no name of a plugin: letters, digits and dashes")
    for fault in faults:
        yield HealthCheck("metadata", Outcome.FAILED, fault)
    if not faults:
        yield HealthCheck("metadata", Outcome.PASSED, f"{candidate.distribution} {candidate.version}".strip())
    if not candidate.readme:
        yield HealthCheck("metadata", Outcome.DEGRADED, "it describes itself nowhere: add a README")


def _run_stage(
    stage: str, work: Mapping[str, Any], limit_s: float
) -> tuple[list[HealthCheck], dict[str, Any]]:
    """Give the findings of a stage, and what the stages after it are told: the steps that it found."""
    with tempfile.TemporaryDirectory(prefix="nodecrust-check-") as folder:
        output, words = Path(folder, "findings"), Path(folder, "words")
        ended = _child({**work, "stage": stage, "output": str(output)}, words, limit_s)
        records = _records(output)
        last_words = words.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:].strip()
    found = [finding for record in records if (finding := finding_of(record))]
    known = next((dict(record["known"]) for record in records if "known" in record), {})
    if any("done" in record for record in records):
        return found, known
    doing = next((str(one["doing"]) for one in reversed(records) if "doing" in one), "its start")
    last_line = last_words.splitlines()[-1] if last_words else ""
    told = f"; its last words: {last_line}" if last_line else ""
    return [*found, HealthCheck(stage, Outcome.FAILED, f"{ended} in {doing}{told}")], known


def _child(work: Mapping[str, Any], words: Path, limit_s: float) -> str:
    """Run a stage to its end; say how it ended."""
    with words.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "node.testing.conformance.child"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_limit_output,  # noqa: PLW1509 - it sets a limit and no more
        )
        try:
            process.communicate(json.dumps(work).encode(), timeout=limit_s)
        except subprocess.TimeoutExpired:
            return f"it took longer than {limit_s:.0f} s and was ended"
        except BrokenPipeError:
            process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode < 0:
        return f"it died by {signal.Signals(-process.returncode).name}"
    return f"it ended the process with {process.returncode}"


def _records(path: Path) -> list[dict[str, Any]]:
    found = []
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict):
                    found.append(record)
    return found


def _limit_output() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_OUTPUT_MOST, _OUTPUT_MOST))
