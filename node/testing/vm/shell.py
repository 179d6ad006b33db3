"""A root shell of the guest on its second serial line.

systemd opens it itself when the kernel argument ``systemd.debug_shell=ttyS1`` is there: no password, no
network and no change of the image is needed, so that the image under test is the image that users get.
"""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass

from node.testing.vm.console import Console, MachineFailure

KERNEL_ARGUMENT = "systemd.debug_shell=ttyS1"


@dataclass(frozen=True)
class ShellResult:
    """What a command in the guest ended with: its exit code, and both its outputs as one text."""

    code: int
    output: str


class RootShell:
    """Runs commands in the guest, one after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def wait_until_ready(self, *, timeout_s: float) -> None:
        """Wait until the shell answers, and make it quiet."""
        for attempt in range(max(1, int(timeout_s / 5))):
            mark = secrets.token_hex(4)
            # The quotes keep the echo of what is typed from looking like the answer.
            self._console.send_line(f"stty -echo cols 200 2>/dev/null; PS1=; PS2=; echo 're''ady'-{mark}")
            try:
                self._console.expect(f"ready-{mark}", timeout_s=5)
            except MachineFailure:
                if (attempt + 2) * 5 > timeout_s:
                    raise
            else:
                return

    def run(self, command: str, *, timeout_s: float = 60.0, check: bool = False) -> ShellResult:
        """Run ``command`` by bash; with ``check``, MachineFailure unless it exits 0."""
        mark = secrets.token_hex(4)
        self._console.forget()
        self._console.send_line(
            f"echo 'be''gin'-{mark}; bash -c {shlex.quote(command)} 2>&1 </dev/null; echo 'en''d'-{mark} $?"
        )
        self._console.expect(f"begin-{mark}\n", timeout_s=timeout_s)
        found = self._console.expect(re.compile(rf"(?s)(.*?)end-{mark} (\d+)\n"), timeout_s=timeout_s)
        result = ShellResult(int(found.group(2)), found.group(1))
        if check and result.code != 0:
            raise MachineFailure(f"in the guest {command!r} exited with {result.code}:\n{result.output}")
        return result

    def write_file(self, path: str, text: str) -> None:
        """Put a small file into the guest."""
        for number, line in enumerate(text.splitlines()):
            redirect = ">" if number == 0 else ">>"
            self.run(f"printf '%s\\n' {shlex.quote(line)} {redirect} {shlex.quote(path)}", check=True)
