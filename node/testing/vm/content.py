"""`node-image serve` in the background: the files that a machine boots from, over HTTP, and a TFTP folder."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from node.testing.vm.console import MachineFailure, tail_of
from node.testing.vm.machine import end_process, end_with_parent
from node.testing.vm.patience import patient

#: The host as a guest on QEMU's user network sees it.
HOST = "10.0.2.2"
#: What the server writes for its own address, so that it can't be copied.
RENDERED = ("boot.ipxe", "grub/grub.cfg", "pxelinux.cfg/default")
START_LIMIT_S = 30.0
_READY = re.compile(r"ready (http://\S+)")


class ContentServer:
    """Serves an image folder to guests of this host while the block runs.

    ``append`` are kernel arguments, ``answers`` a document that every machine gets. ``inside`` is put before
    the command (a namespace's ``ip netns exec``).
    """

    def __init__(
        self,
        image: Path,
        *,
        log: Path,
        append: Sequence[str] = (),
        answers: Path | None = None,
        listen: str = "127.0.0.1",
        address: str = HOST,
        port: int | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        self.image = image
        self.port = port or free_port()
        self._listen = listen
        self._address = address
        self._log = log
        self._argv = (
            *inside,
            str(Path(sys.executable).with_name("node-image")),
            "serve",
            str(image),
            *("--listen", listen),
            *("--http-port", str(self.port)),
            *("--tftp-port", "0"),
            *("--base-url", f"http://{address}:{self.port}/"),
            *(("--append", " ".join(append)) if append else ()),
            *(("--answers", str(answers)) if answers else ()),
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server as its guests see it, at ``address``."""
        return f"http://{self._address}:{self.port}"

    def make_tftp_root(self, folder: Path) -> Path:
        """Fill ``folder`` with what the firmware asks for over TFTP, rendered for this server; give it."""
        for path in sorted((self.image / "pxe").rglob("*")):
            copy = folder / path.relative_to(self.image / "pxe")
            if path.is_dir():
                copy.mkdir(parents=True, exist_ok=True)
            else:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)
                copy.symlink_to(path.absolute())
        for name in RENDERED:
            copy = folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            copy.write_bytes(self.fetch(name))
        return folder

    def fetch(self, name: str) -> bytes:
        """Give a file as the server gives it."""
        with urllib.request.urlopen(f"http://{self._listen}:{self.port}/{name}", timeout=20) as answer:
            body: bytes = answer.read()
            return body

    def __enter__(self) -> Self:
        # A log of its own each time: "ready" must not be an earlier server's.
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - it calls nothing but prctl
            )
        deadline = time.monotonic() + patient(START_LIMIT_S)
        while time.monotonic() < deadline and self._process.poll() is None:
            if _READY.search(self._log.read_text(errors="replace")):
                return self
            time.sleep(0.1)
        self.stop()
        words = tail_of(self._log.read_text(errors="replace"), 10)
        raise MachineFailure(f"node-image serve didn't get ready; {self._log} ends:\n{words}")

    def stop(self) -> None:
        """End the server, as if its machine went away."""
        if self._process:
            end_process(self._process)
            self._process = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
