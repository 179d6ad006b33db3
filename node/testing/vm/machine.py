"""A running virtual machine."""

from __future__ import annotations

import ctypes
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from qemu.qmp import ConnectError

from node.testing.vm.accel import Accel
from node.testing.vm.argv import MachineFiles, qemu_argv, writable_nodes
from node.testing.vm.console import Console, MachineFailure, tail_of
from node.testing.vm.firmware import ovmf_code, ovmf_variables
from node.testing.vm.monitor import Monitor
from node.testing.vm.patience import patient
from node.testing.vm.shell import RootShell
from node.testing.vm.spec import MIB, Disk, MachineSpec
from node.testing.vm.ssh import SshLogin

START_LIMIT_S = 20.0
#: prctl(2)
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
STOP_LIMIT_S = 10.0


class Machine:
    """A machine in a folder: disks, firmware variables and logs stay there and are used again next time.

    As a context manager it is running inside the block, and its process is gone after it, whatever happened.
    """

    def __init__(
        self,
        spec: MachineSpec,
        folder: Path,
        *,
        accel: Accel = Accel.TCG,
        name: str = "the machine",
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        self.spec = spec
        self.name = name
        self.folder = folder
        self._accel = accel
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None
        self._files: MachineFiles | None = None
        self._monitor: Monitor | None = None
        self._consoles: list[Console] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # Life

    def start(self) -> None:
        """Make what is missing in the folder and switch the machine on."""
        if self.is_running:
            raise MachineFailure(f"{self.name} runs already")
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        sockets = Path(tempfile.mkdtemp(prefix="vm-"))
        self._files = MachineFiles(
            folder=self.folder.absolute(), sockets=sockets, firmware_code=ovmf_code(self.spec.firmware)
        )
        try:
            self._make_files(self._files)
            self._start_qemu(self._files)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Pull the plug: the process ends, sockets go, the folder stays."""
        for console in self._consoles:
            console.close()
        self._consoles.clear()
        if self._monitor:
            self._monitor.close()
            self._monitor = None
        if self._process:
            end_process(self._process)
            self._process = None
        if self._files:
            shutil.rmtree(self._files.sockets, ignore_errors=True)

    def kill(self) -> None:
        """End QEMU by SIGKILL, wherever it stands; what it has written is what the disks hold."""
        self._running().kill()
        self._running().wait()
        (self.folder / "qemu.pid").unlink(missing_ok=True)
        self.stop()

    def reset(self) -> None:
        """Press the reset button."""
        self.monitor.execute("system_reset")

    @property
    def is_running(self) -> bool:
        """Whether QEMU is there."""
        return self._process is not None and self._process.poll() is None

    def wait_until_off(self, *, timeout_s: float) -> None:
        """Wait until the guest has switched the machine off."""
        try:
            self._running().wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._fail(f"didn't switch itself off within {timeout_s:g} s")

    # What a test sees of it

    @property
    def console(self) -> Console:
        """The first serial line: firmware, boot loader, kernel, login."""
        return self._consoles[0]

    @property
    def shell(self) -> RootShell:
        """The root shell on the second serial line (``debug_serial``)."""
        return RootShell(self._consoles[1])

    @property
    def monitor(self) -> Monitor:
        """QEMU's monitor."""
        if self._monitor is None:
            raise MachineFailure(f"{self.name} doesn't run")
        return self._monitor

    def write_log(self, disk: Disk) -> Path:
        """Where the writes to a disk with ``write_log`` are logged."""
        return MachineFiles(folder=self.folder, sockets=self.folder).write_log(disk)

    @property
    def log(self) -> Path:
        """The whole serial log, also after the machine's end."""
        return self.folder / "ttyS0.log"

    def expect(
        self, wanted: str | re.Pattern[str], *, timeout_s: float, unless: Sequence[str | re.Pattern[str]] = ()
    ) -> re.Match[str]:
        """Wait until the guest says ``wanted`` on its console."""
        return self.console.expect(wanted, timeout_s=timeout_s, unless=unless)

    def screenshot(self, path: Path) -> Path:
        """Save what the screen (tty1) shows as PNG."""
        self.monitor.execute("screendump", filename=str(path.absolute()), format="png")
        return path

    def memory_used_mib(self) -> float:
        """The memory that QEMU's process holds now: what the guest has touched, and QEMU's own."""
        status = Path(f"/proc/{self._running().pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def ssh_port(self) -> int:
        """The port of 127.0.0.1 that leads to the guest's port 22."""
        found = re.search(
            r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\b",
            self.monitor.human("info usernet"),
        )
        if not found:
            self._fail("has no forwarded SSH port")
        return int(found.group(1))

    def ssh(self, *, key: Path, user: str = "admin") -> SshLogin:
        """How to log in to the guest."""
        return SshLogin(port=self.ssh_port(), key=key, user=user, known_hosts=self.folder / "known_hosts")

    # Snapshots

    def save(self, name: str) -> None:
        """Keep the whole state, memory and disks, under ``name``. QEMU can't where there is an NVMe disk."""
        # An older one of this name is replaced; deleting one that isn't there is no error.
        devices = list(writable_nodes(self.spec))
        self.monitor.run_job("snapshot-delete", tag=name, devices=devices)
        self._snapshot("snapshot-save", name)
        self.monitor.execute("cont")

    def load(self, name: str) -> None:
        """Go back to the state kept under ``name``. The guest's open TCP connections are gone."""
        self.monitor.execute("stop")
        self._snapshot("snapshot-load", name)
        for console in self._consoles:
            console.forget()
        self.monitor.execute("cont")

    # Inside

    def _snapshot(self, command: str, name: str) -> None:
        self.monitor.run_job(command, tag=name, vmstate="snapshots", devices=list(writable_nodes(self.spec)))

    def _make_files(self, files: MachineFiles) -> None:
        _make_image(files.snapshots, MIB)
        for disk in self.spec.disks:
            _make_image(files.disk(disk), disk.size_bytes, begin_as=disk.begin_as)
            if disk.write_log:
                # The driver begins a log at its front, whatever an older one left behind there.
                files.write_log(disk).write_bytes(b"")
        variables = ovmf_variables(self.spec.firmware)
        if variables and not files.firmware_variables.exists():
            _qemu_img("convert", "-O", "qcow2", str(variables), str(files.firmware_variables))
        if self.spec.usb_stick:
            files.stick.unlink(missing_ok=True)
            _qemu_img(
                "create",
                "-q",
                "-f",
                "qcow2",
                "-F",
                "raw",
                "-b",
                str(self.spec.usb_stick.absolute()),
                str(files.stick),
            )

    def _start_qemu(self, files: MachineFiles) -> None:
        argv = qemu_argv(self.spec, files, self._accel)
        messages = files.folder / "qemu.log"
        with messages.open("ab") as output:
            output.write((" ".join(argv) + "\n").encode())
            output.flush()
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - it calls nothing but prctl
            )
        deadline = time.monotonic() + patient(START_LIMIT_S)
        while True:
            try:
                self._connect(files)
            except (OSError, ConnectError) as error:
                # QEMU makes its sockets one by one, and goes when something later is wrong.
                if self._process.poll() is not None or time.monotonic() > deadline:
                    words = tail_of(messages.read_text(errors="replace"), 5)
                    raise MachineFailure(f"QEMU didn't start; {messages} ends:\n{words}") from error
                time.sleep(0.02)
            else:
                return

    def _connect(self, files: MachineFiles) -> None:
        if self._monitor is None:
            self._monitor = Monitor(files.monitor)
        for index in range(len(self._consoles), 1 + self.spec.debug_serial):
            console = Console(
                self.name if index == 0 else f"{self.name}'s ttyS{index}",
                files.serial_socket(index),
                files.serial_log(index),
                on_line=self._on_line if index == 0 else None,
                is_alive=lambda: self.is_running,
            )
            self._consoles.append(console)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise MachineFailure(f"{self.name} doesn't run")
        return self._process

    def _fail(self, what: str) -> NoReturn:
        end = self.console.tail() if self._consoles else ""
        raise MachineFailure(f"{self.name} {what}; its log is {self.log}, the end of it:\n{end}")


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started: politely, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_with_parent() -> None:
    """Between fork and exec: have the kernel end this process when its parent dies, however that happens."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _make_image(path: Path, size_bytes: int, *, begin_as: Path | None = None) -> None:
    if path.exists():
        return
    backing = ("-F", "qcow2", "-b", str(begin_as.absolute())) if begin_as else ()
    _qemu_img("create", "-q", "-f", "qcow2", *backing, str(path), str(size_bytes))


def _qemu_img(*arguments: str) -> None:
    done = subprocess.run(("qemu-img", *arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise MachineFailure(f"qemu-img {' '.join(arguments)}: {done.stderr.strip()}")
