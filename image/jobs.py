"""Starts the worker in its namespace and passes on what it says."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import node
from image import namespace
from image.process import clean_environment, die_with_parent
from image.progress import Progress
from node.errors import InputError, NodeError


class Job(Protocol):
    """Work on a tree. It travels as a pickle to the worker, which calls it there."""

    def perform(self, report: Any) -> dict[str, Any]:
        """Do it; what comes back is JSON. Raises NodeError."""


def run_job(job: Job, progress: Progress) -> dict[str, Any]:
    """Do a job in a namespace of its own, passing on what it says. Raises what it ended with."""
    argv = namespace.command([sys.executable, "-P", "-m", "image.worker"])
    env = {**clean_environment(), "PYTHONPATH": os.pathsep.join(_import_path())}
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        # A Ctrl-C is the builder's to deal with: it ends the namespace by closing its input.
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread is at work
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            data = pickle.dumps(job)
            process.stdin.write(len(data).to_bytes(8, "big") + data)
            process.stdin.flush()
            result = _listen(process.stdout, progress)
        finally:
            if sys.exc_info()[0] is not None:
                process.stdin.close()
                process.kill()
        words = process.stderr.read().decode(errors="replace")
        process.stdin.close()
        process.wait()
    if result is None:
        raise NodeError("the build's namespace ended without a result", details=words[-2000:])
    return result


def _listen(lines: Any, progress: Progress) -> dict[str, Any] | None:
    result: dict[str, Any] | None = None
    for line in lines:
        said = json.loads(line)
        if "stage" in said:
            progress.begin(said["stage"])
        elif "done" in said:
            progress.end(said["done"], said["seconds"], cached=said["cached"])
        elif "note" in said:
            progress.note(said["note"])
        elif "error" in said:
            error = said["error"]
            kind = InputError if error["kind"] == "input" else NodeError
            raise kind(error["brief"], details=error["details"], mend=error["mend"])
        elif "result" in said:
            result = said["result"]
    return result


def _import_path() -> list[str]:
    """Where this process found `image` and `node`, for the worker."""
    roots = [Path(__file__).parent.parent, Path(node.__file__).parent.parent]
    return list(dict.fromkeys(str(root) for root in roots))
