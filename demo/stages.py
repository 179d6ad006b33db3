"""The stages of the demo, in their order; each says what came of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.management import POOL, ManagementServer
from demo.plan import ADMIN, MAC, SNAPSHOT, Place, Registration, Settings, Way, machine_spec, write_answers
from demo.progress import PlainProgress
from node.testing.vm import (
    Accel,
    ContentServer,
    Firmware,
    Machine,
    MachineFailure,
    SshLogin,
    choose_accel,
)

#: KVM needs a twentieth of these; they are for TCG on a busy machine. A dead end is told at once.
BOOT_LIMIT_S = 900.0
INSTALL_LIMIT_S = 1200.0
LOGIN_LIMIT_S = 900.0
REGISTER_LIMIT_S = 600.0
POLL_S = 3.0
#: Where a node says where it stands with its servers.
STANDINGS = "/run/node/registration.json"
#: ssh's own exit code, as ssh(1) has it.
SSH_FAILED = 255
#: What the installer says on every console.
INSTALLER_BEGINS = "Nodecrust looks at this machine"
INSTALLED = "This node is installed."
NOT_INSTALLED = "Not installed:"
#: What a node says on serial lines when it is up.
READY = re.compile(r"NODECRUST-READY slot=(?P<slot>\S+) version=\S+ health=(?P<health>[^\n]+)\n")
#: What never becomes right by waiting.
DEAD_ENDS = ("Kernel panic", "Security Violation", "bad shim signature", "No bootable device")


class DemoError(Exception):
    """A stage failed. ``log`` tells more."""

    def __init__(self, brief: str, log: Path | None = None) -> None:
        super().__init__(brief)
        self.log = log


def run_demo(
    place: Place,
    kickstart: Path,
    *,
    firmware: Firmware,
    way: Way,
    accel: Accel | None,
    progress: PlainProgress,
) -> None:
    """From a kickstart to a running node; raises DemoError or MachineFailure where a stage fails."""
    place.folder.mkdir(parents=True, exist_ok=True)
    _build(place, kickstart, progress)
    accel = _accel(place, accel, progress)
    # The machine is a new one, and a server of before would know it by another key.
    for folder in (place.machine, place.server):
        shutil.rmtree(folder, ignore_errors=True)
    with ExitStack() as stack:
        management = stack.enter_context(_management(place, progress))
        settings = Settings(firmware, way, accel, management.port)
        bootfile = None
        if way is Way.USB:
            with progress.stage("Put the demo's answers on a USB stick") as stage:
                _run(_stick_command(place), place.log("stick"), progress.note)
                stage.result = str(place.stick)
        else:
            server = ContentServer(place.image, log=place.log("serve"), answers=place.answers)
            stack.enter_context(server)
            bootfile = f"{server.url}/boot.ipxe"
        machine = Machine(
            machine_spec(settings, stick=place.stick, bootfile=bootfile),
            place.machine,
            accel=settings.accel,
            name="the demo's machine",
            on_line=progress.note,
        )
        stack.enter_context(machine)
        _install(machine, settings, progress)
        _start_from_disk(machine, place, progress)
        login = machine.ssh(key=place.key, user=ADMIN)
        _wait_until_active(management, login, progress)
        _show_status(login, progress)
        _show("node-server nodes list", management.say("nodes", "list"), progress)
        with progress.stage("Freeze the running node, for make demo-shell"):
            machine.save(SNAPSHOT)
            settings.save(place.settings)


def open_shell(place: Place, progress: PlainProgress) -> int:
    """Thaw the node of the last demo, log in, freeze it again; gives 1 where the log-in failed."""
    if not place.settings.exists():
        raise DemoError("there is no node yet: run make demo first")
    settings = Settings.load(place.settings)
    spec = machine_spec(settings, stick=place.stick, bootfile=None)
    with ExitStack() as stack:
        _manage_again(place, settings, stack, progress)
        machine = stack.enter_context(
            Machine(spec, place.machine, accel=settings.accel, name="the demo's machine")
        )
        login = machine.ssh(key=place.key, user=ADMIN)
        with progress.stage("Thaw the node"):
            machine.load(SNAPSHOT)
            login.wait(timeout_s=60)
        progress.say(f"Log out to freeze it again. From another terminal: {' '.join(login.argv())}")
        code = subprocess.run(login.argv(), check=False).returncode
        with progress.stage("Freeze the node"):
            machine.save(SNAPSHOT)
    # Any other is that of the last command there, and none of ours.
    return int(code == SSH_FAILED)


@contextmanager
def _management(place: Place, progress: PlainProgress) -> Iterator[ManagementServer]:
    """Start the management server, and put it and its token into the answers."""
    with ExitStack() as stack:
        with progress.stage("Start the management server, with a CA of its own") as stage:
            server = ManagementServer(place.server, log=place.log("server"))
            stack.enter_context(server)
            fingerprint = server.fingerprint()
            write_answers(place, Registration(server.url, fingerprint, server.token(MAC), POOL))
            stage.result = f"the machine reaches it at {server.url}"
        yield server


def _manage_again(place: Place, settings: Settings, stack: ExitStack, progress: PlainProgress) -> None:
    """Start the server of the last demo, where the node looks for it; the node is worth a look without."""
    if not place.server.exists():
        return
    server = ManagementServer(place.server, log=place.log("server"), port=settings.port)
    with progress.stage("Start its management server") as stage:
        try:
            stack.enter_context(server)
        except MachineFailure as error:
            stage.result = "not there"
            words = f"The node says that its server is away: {error}"
        else:
            words = f"Its page is {server.page}, which the browser doesn't know yet"
            if server.admin_token.exists():
                words += f"; {server.admin_token} opens it"
    progress.say(words)


def _wait_until_active(server: ManagementServer, login: SshLogin, progress: PlainProgress) -> None:
    """Wait until both say so: the node writes it down when its first visit is over."""
    with progress.stage("Wait until the node has registered itself") as stage:
        deadline = time.monotonic() + REGISTER_LIMIT_S
        while True:
            active = [node for node in server.nodes() if node["state"] == "active"]
            if active and '"active"' in login.run(f"cat {STANDINGS}").stdout:
                break
            if time.monotonic() > deadline:
                known = server.say("nodes", "list").strip()
                said = login.run("nodectl status", timeout_s=120).stdout
                raise MachineFailure(
                    f"the node is not active within {REGISTER_LIMIT_S:g} s; its server knows:\n{known}\n"
                    f"and the node says:\n{said}"
                )
            time.sleep(POLL_S)
        stage.result = f"approved by its token, active in pool {active[0]['pool']}"


def _build(place: Place, kickstart: Path, progress: PlainProgress) -> None:
    with progress.stage(f"Build the image from {kickstart}") as stage:
        sums = place.image / "SHA256SUMS"
        before = sums.read_bytes() if sums.exists() else b""
        command = _node_image("build", str(kickstart), "--output", str(place.image))
        _run(command, place.log("build"), progress.note)
        manifest = json.loads((place.image / "manifest.json").read_text())
        size_mib = sum(manifest["files"][name]["size"] for name in ("vmlinuz", "initrd", "root.squashfs")) / (
            1024 * 1024
        )
        reused = "unchanged, used again" if sums.read_bytes() == before else "new"
        stage.result = (
            f"{manifest['name']} {manifest['version']}, {len(manifest['packages'])} packages, "
            f"{size_mib:.0f} MiB ({reused})"
        )


def _accel(place: Place, wanted: Accel | None, progress: PlainProgress) -> Accel:
    with progress.stage("Find out whether KVM works here") as stage:
        if wanted is Accel.TCG:
            stage.result = "not wanted"
            return wanted
        found = choose_accel(place.image / "vmlinuz")
        stage.result = "it does" if found is Accel.KVM else "it doesn't, so QEMU emulates the processor"
        if wanted is Accel.KVM and found is not Accel.KVM:
            raise DemoError("KVM was asked for and boots no kernel here; ACCEL=auto goes on without it")
        return found


def _install(machine: Machine, settings: Settings, progress: PlainProgress) -> None:
    source = "a USB stick" if settings.way is Way.USB else "the network (PXE)"
    with progress.stage(f"Boot a blank machine ({settings.firmware}) from {source}"):
        machine.expect("Linux version", timeout_s=BOOT_LIMIT_S, unless=DEAD_ENDS)
        machine.expect(INSTALLER_BEGINS, timeout_s=BOOT_LIMIT_S, unless=DEAD_ENDS)
    with progress.stage("Install the node on its disk, unattended") as stage:
        machine.expect(INSTALLED, timeout_s=INSTALL_LIMIT_S, unless=(*DEAD_ENDS, NOT_INSTALLED))
        stage.result = "done, it restarts"


def _start_from_disk(machine: Machine, place: Place, progress: PlainProgress) -> None:
    with progress.stage("Start the node from its own disk") as stage:
        machine.expect("Linux version", timeout_s=BOOT_LIMIT_S, unless=DEAD_ENDS)
        ready = machine.expect(READY, timeout_s=LOGIN_LIMIT_S, unless=DEAD_ENDS)
        stage.result = f"up, slot {ready.group('slot')}, health {ready.group('health')}"
        machine.ssh(key=place.key, user=ADMIN).wait(timeout_s=LOGIN_LIMIT_S)


def _show_status(login: SshLogin, progress: PlainProgress) -> None:
    with progress.stage("Ask the node how it is: nodectl status"):
        status = login.run("nodectl status", timeout_s=120)
        if status.returncode:
            raise MachineFailure(
                f"nodectl status exited with {status.returncode}:\n{status.stdout}{status.stderr}"
            )
    _show("nodectl status", status.stdout, progress)


def _show(command: str, said: str, progress: PlainProgress) -> None:
    progress.say(f"\n  {command}\n")
    progress.say("\n".join(f"    {line}" for line in said.rstrip().splitlines()))
    progress.say()


def _node_image(*words: str) -> tuple[str, ...]:
    return str(Path(sys.executable).with_name("node-image")), *words


def _stick_command(place: Place) -> tuple[str, ...]:
    return _node_image("iso", str(place.image), "--output", str(place.stick), "--answers", str(place.answers))


def _run(argv: Sequence[str], log: Path, note: Callable[[str], None]) -> None:
    begun = time.strftime("%H:%M:%S")
    with log.open("w") as kept:
        kept.write(f"{begun} {' '.join(argv)}\n")
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                kept.write(line)
                kept.flush()
                if line.strip():
                    note(line.strip())
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code:
        words = "\n".join(log.read_text().splitlines()[-15:])
        raise DemoError(f"{argv[0]} {argv[1]} exited with {code}:\n{words}", log)
