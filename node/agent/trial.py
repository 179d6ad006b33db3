"""A change on trial: what takes it back is armed and written down before anything changes.

The record lies in /run, so that a restart during a trial comes up with the old state. The timer is systemd's,
so that the end of the session changes nothing. node.yaml learns of the change only when it is confirmed.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.agent.work import Work
from node.errors import CommandFailedError, NodeError
from node.model.state import State
from node.model.system import Commands
from node.persist.store import state_from_text, state_to_text
from node.system.files import LiveFiles

UNIT = "nodecrust-trial"
DEFAULT_TIMEOUT_S = 120
LEAST_TIMEOUT_S, MOST_TIMEOUT_S = 10, 3600
_FOLDER = "trial"
_ENDED = "trial-ended.json"


@dataclass(frozen=True)
class Trial:
    """A change that waits for its confirmation.

    `state` becomes node.yaml by the confirmation, with `reason` in its history; `way_back` undoes the change.
    `begun_s` is the kernel's time since boot in seconds, which no clock that is set can move. `failed` marks
    one that could not be taken back whole, which waits for another try and can't be confirmed any more.
    """

    state: State
    reason: str
    way_back: Work
    timeout_s: int
    begun_s: float
    failed: bool = False

    @property
    def remaining_s(self) -> int:
        """Seconds until it is taken back."""
        return max(0, round(self.begun_s + self.timeout_s - uptime_s()))


def uptime_s() -> float:
    """Give the seconds since boot, without those asleep: what systemd's timer counts."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def write_trial(run: Path, trial: Trial) -> None:
    """Write the record down; it holds secrets and is root's alone."""
    folder = run / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {
        "state": state_to_text(trial.state),
        "reason": trial.reason,
        "way_back": trial.way_back.to_data(),
        "timeout_s": trial.timeout_s,
        "begun_s": trial.begun_s,
        "failed": trial.failed,
    }
    LiveFiles().write(folder / "trial.json", json.dumps(document).encode(), mode=0o600)
    (run / _ENDED).unlink(missing_ok=True)


def read_trial(run: Path) -> Trial | None:
    """Give the trial that is under way; None where there is none."""
    try:
        data: dict[str, Any] = json.loads((run / _FOLDER / "trial.json").read_bytes())
        return Trial(
            state_from_text(str(data["state"])),
            data["reason"],
            Work.from_data(data["way_back"]),
            data["timeout_s"],
            data["begun_s"],
            data["failed"],
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, NodeError) as error:
        raise NodeError(
            f"the record of the change on trial can't be read: {type(error).__name__}",
            mend="Restart the node: it comes up with the old configuration",
        ) from error


def forget_trial(run: Path) -> None:
    """Remove the record."""
    shutil.rmtree(run / _FOLDER, ignore_errors=True)


def note_end(run: Path, words: str) -> None:
    """Leave word of how a trial ended for who comes to confirm it too late."""
    LiveFiles().write(run / _ENDED, json.dumps({"words": words}).encode(), mode=0o600)


def last_end(run: Path) -> str:
    """Give the words on how the last trial ended, "" where there was none."""
    try:
        return str(json.loads((run / _ENDED).read_bytes())["words"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def arm(timeout_s: int, commands: Commands) -> None:
    """Have systemd start nodecrust-trial.service in `timeout_s` seconds; NodeError where it doesn't."""
    disarm(commands)
    argv = ["systemd-run", "--quiet", f"--unit={UNIT}.service", f"--on-active={timeout_s}s"]
    try:
        commands.run([*argv, "--timer-property=AccuracySec=100ms"])
    except CommandFailedError as error:
        raise NodeError(
            "the timer that would take the change back can't be set, so nothing was changed",
            details=error.details or error.brief,
            mend="On the node's console, --no-trial changes it at once and for good",
        ) from None


def disarm(commands: Commands) -> None:
    """Stop the timer, quiet where there is none."""
    commands.run(["systemctl", "stop", f"{UNIT}.timer"], check=False)
    commands.run(["systemctl", "reset-failed", f"{UNIT}.service"], check=False)
