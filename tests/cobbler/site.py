"""A real cobbler 3.3.10 in a mount namespace, on loopback, without Apache."""

from __future__ import annotations

import contextlib
import ctypes
import re
import shutil
import signal
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
PYTHON = CHECKOUT / ".venv-cobbler/bin/python"
USER = PASSWORD = "cobbler"  # what a fresh cobbler comes with
_KINDS = ("distro", "profile", "system", "repo", "image", "menu", "file", "mgmtclass", "package")
_TFTP = ("pxelinux.cfg", "images", "images2", "grub/system", "grub/system_link", "ipxe", "boot", "etc")
_SERVED = ("images", "localmirror", "distro_mirror", "repo_mirror", "rendered", "links", "pub")
_PR_SET_PDEATHSIG = 1
# Of a machine that is busy with virtual ones, too.
_WAIT_S = 150.0


class Cobbler:
    """`plain` and `secure` are its addresses; `files` holds a kernel and an initrd that it can see."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self.folder = folder
        self._make_tree()
        ports = _free_ports(3)
        self.plain, self.secure = f"http://127.0.0.1:{ports[1]}", f"https://127.0.0.1:{ports[2]}"
        self.set(xmlrpc_port=ports[0], http_port=ports[1], pxe_just_once="true")
        settings = folder / "etc/settings.yaml"
        settings.write_text(re.sub(r"^include:.*$", "include: []", settings.read_text(), flags=re.MULTILINE))
        front = [PYTHON, HERE / "front.py"]
        self._argvs = [
            [PYTHON.with_name("cobblerd"), "-F"],
            [*front, str(ports[1]), str(ports[0])],
            [*front, str(ports[2]), str(ports[0]), certificate],
        ]
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port = ports[0]

    def set(self, **settings: Any) -> None:
        """Change its settings; they count from its next start."""
        path = self.folder / "etc/settings.yaml"
        text = path.read_text()
        for key, value in settings.items():
            text, times = re.subn(rf"^{key}:.*$", f"{key}: {value}", text, flags=re.MULTILINE)
            assert times == 1, key
        path.write_text(text)

    def start(self) -> None:
        for argv in self._argvs:
            log = (self.folder / "said").open("ab")
            place = [
                "unshare",
                "--mount",
                "sh",
                HERE / "namespace.sh",
                self.folder / f"ns{len(self._processes)}",
            ]
            for name in ("etc", "lib", "log", "www", "tftp"):
                link = Path(str(place[-1])) / name
                link.parent.mkdir(exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(self.folder / name)
            self._processes.append(
                subprocess.Popen([*place, *argv], stdout=log, stderr=log, preexec_fn=_die_with_parent)  # noqa: PLW1509
            )
            log.close()
        _until(lambda: self.api.extended_version()["version"] == "3.3.10", self.log)
        for address in (self.plain, self.secure):
            _until(lambda address=address: _listens(address), self.log)

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)
        self._processes.clear()

    @property
    def api(self) -> Any:
        return xmlrpc.client.ServerProxy(f"http://127.0.0.1:{self._port}", allow_none=True)

    def log(self) -> str:
        return (self.folder / "said").read_text()

    def system(self, name: str, profile: str, **interfaces: str) -> None:
        """Make a system with the MACs of its interfaces, as somebody who looks after cobbler does."""
        token = self.api.login(USER, PASSWORD)
        handle = self.api.new_system(token)
        self.api.modify_system(handle, "name", name, token)
        self.api.modify_system(handle, "profile", profile, token)
        for interface, mac in interfaces.items():
            self.api.modify_system(handle, "modify_interface", {f"macaddress-{interface}": mac}, token)
        self.api.modify_system(handle, "netboot_enabled", True, token)
        assert self.api.save_system(handle, token)

    def profile(self, name: str, folder: Path) -> None:
        """Make a distro and a profile of a name, of files in a folder."""
        folder.mkdir(exist_ok=True)
        for file in ("vmlinuz", "initrd"):
            (folder / file).write_text(file)
        token = self.api.login(USER, PASSWORD)
        distro = self.api.new_distro(token)
        kernel, initrd = str(folder / "vmlinuz"), str(folder / "initrd")
        for key, value in {"name": name, "kernel": kernel, "initrd": initrd, "breed": "generic"}.items():
            self.api.modify_distro(distro, key, value, token)
        assert self.api.save_distro(distro, token)
        profile = self.api.new_profile(token)
        self.api.modify_profile(profile, "name", name, token)
        self.api.modify_profile(profile, "distro", name, token)
        assert self.api.save_profile(profile, token)

    def _make_tree(self) -> None:
        shipped = next((PYTHON.parents[1] / "lib").glob("python3*/site-packages"))
        for source, name in (("etc/cobbler", "etc"), ("var/lib/cobbler", "lib"), ("var/www/cobbler", "www")):
            shutil.copytree(shipped / source, self.folder / name)
        when = ("pre", "post")
        acts = ("change", "install", "sync", "task")
        made = [f"lib/collections/{'mgmtclasse' if kind == 'mgmtclass' else kind}s" for kind in _KINDS]
        made += [f"lib/triggers/{act}/{one}" for act in acts for one in when]
        made += [f"lib/triggers/{act}/{k}/{one}" for act in ("add", "delete") for k in _KINDS for one in when]
        made += [f"www/{name}" for name in _SERVED]
        made += [f"tftp/{name}" for name in (*_TFTP, "esxi/pxelinux.cfg")]
        for name in (*made, "lib/loaders", "lib/jinja2", "log"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def running(folder: Path, certificate: Path, **settings: Any) -> Iterator[Cobbler]:
    """Run one until the block ends, with further settings of its own."""
    subprocess.run([CHECKOUT / "tools/cobbler-venv"], check=True)
    cobbler = Cobbler(folder, certificate)
    cobbler.set(**settings)
    try:
        cobbler.start()
        yield cobbler
    finally:
        cobbler.stop()


def make_certificate(folder: Path) -> Path:
    """Give a server's key and its own certificate, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cobbler")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return path


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _listens(address: str) -> bool:
    socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))).close()
    return True


def _until(is_so: Any, log: Any) -> None:
    deadline = time.monotonic() + _WAIT_S
    while True:
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            if is_so():
                return
        assert time.monotonic() < deadline, log()
        time.sleep(0.2)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
