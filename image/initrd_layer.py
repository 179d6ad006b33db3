"""The initrd, collected by dracut in the tree, and cached by what dracut reads."""

from __future__ import annotations

import hashlib
import shutil
import stat
from pathlib import Path

from image.cache import Cache, key_of
from image.chroot import run_inside
from node.errors import InputError, NodeError

# Where our dracut module and its configuration lie beside this file.
SOURCE = Path(__file__).parent / "initrd"
_MODULE = "90nodecrust"
_CONFIGURATION = "dracut.conf"
_PACKAGES = "packages"

# Configuration that dracut copies or that decides what it collects. Programs and drivers are told by
# the key of the packages' tree.
_READ = (
    "etc/crypttab",
    "etc/dracut.conf.d",
    "etc/ld.so.conf.d",
    "etc/modprobe.d",
    "etc/modules-load.d",
    "etc/nsswitch.conf",
    "etc/ssl/certs/ca-certificates.crt",
    "etc/sysctl.d",
    "etc/systemd/journald.conf.d",
    "etc/systemd/system.conf.d",
    "etc/udev",
    "etc/vconsole.conf",
    "usr/lib/dracut",
    "usr/lib/modprobe.d",
    "usr/lib/sysctl.d",
    "usr/lib/systemd/network",
    "usr/lib/tmpfiles.d",
    "usr/lib/udev/rules.d",
)

_FORMAT = 1


def build_packages() -> list[str]:
    """Packages that our dracut module collects from, besides the builder's own."""
    listed = SOURCE / _PACKAGES
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    return [word for line in lines if (word := line.partition("#")[0].strip())]


def kernel_version(tree: Path) -> str:
    """The one kernel of the tree. Raises InputError where there is none, or more than one."""
    versions = sorted(path.name for path in (tree / "usr/lib/modules").glob("*") if path.is_dir())
    if len(versions) != 1:
        found = ", ".join(versions) or "none"
        raise InputError(
            f"the image needs one kernel, and has: {found}", mend="name linux-image-amd64 in %packages"
        )
    return versions[0]


def make(tree: Path, cache: Cache, *, packages_key: str, epoch: int, target: Path) -> bool:
    """Put the initrd of a tree at `target`; True when the cache had it. The tree stays as it was."""
    kernel = kernel_version(tree)
    key = key_of([_FORMAT, packages_key, kernel, epoch, digest(tree, _READ), digest(SOURCE, (".",))])
    with cache.lock("initrd", key):
        entry = cache.find("initrd", key)
        if entry is not None:
            shutil.copyfile(entry / "initrd", target)
            return True
        with cache.making("initrd", key) as folder:
            _collect(tree, kernel, epoch, folder / "initrd")
            shutil.copyfile(folder / "initrd", target)
    return False


def _collect(tree: Path, kernel: str, epoch: int, target: Path) -> None:
    module = tree / "usr/lib/dracut/modules.d" / _MODULE
    scratch = tree / "var/tmp/nodecrust"
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "conf.d").mkdir(parents=True)
    shutil.copytree(SOURCE / _MODULE, module, dirs_exist_ok=True)
    (module / "module-setup.sh").chmod(0o755)
    shutil.copyfile(SOURCE / _CONFIGURATION, scratch / "dracut.conf")
    inside = Path("/var/tmp/nodecrust")  # noqa: S108
    try:
        argv: list[str | Path] = [
            "dracut",
            "--force",
            "--conf",
            inside / "dracut.conf",
            "--confdir",
            inside / "conf.d",
            "--tmpdir",
            inside,
            "--kver",
            kernel,
            inside / "initrd",
        ]
        # A namespace may make no device nodes, and root of the machine could: the same bytes for both.
        env = {"DRACUT_NO_MKNOD": "1", "SOURCE_DATE_EPOCH": str(epoch)}
        said = run_inside(tree, argv, env=env, brief="dracut can't collect the initrd")
        if not (scratch / "initrd").is_file():
            raise NodeError("dracut made no initrd", details=said[-2000:])
        shutil.copyfile(scratch / "initrd", target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(module, ignore_errors=True)


def digest(root: Path, parts: tuple[str, ...]) -> str:
    """SHA-256 over names, kinds, modes and contents of some files below a folder."""
    total = hashlib.sha256()
    for part in parts:
        start = root / part
        paths = [start, *sorted(start.rglob("*"))] if start.is_dir() else [start]
        for path in paths:
            if "__pycache__" in path.parts or not (path.is_symlink() or path.exists()):
                continue
            mode = path.lstat().st_mode
            total.update(f"{path.relative_to(root)}\0{stat.S_IFMT(mode):o}\0".encode())
            if path.is_symlink():
                total.update(str(path.readlink()).encode())
            elif path.is_file():
                total.update(f"{mode & 0o111:o}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
