"""Runs commands inside a tree. Only for the first process of a namespace: its mounts go with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from image.process import run

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


@contextmanager
def mounted(tree: Path) -> Iterator[None]:
    """/proc, /dev, /run and /tmp as a command in the tree expects them; the tree is bare again afterwards."""
    points: list[Path] = []

    def mount(*argv: str | Path, on: str) -> None:
        point = tree / on
        point.mkdir(exist_ok=True)
        run(["mount", *argv, point])
        points.append(point)

    try:
        mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", on="proc")
        # Programs of the tree run as whoever builds, maybe root: the kernel's switches stay out of reach.
        run(["mount", "--bind", tree / "proc/sys", tree / "proc/sys"])
        run(["mount", "-o", "remount,bind,ro", tree / "proc/sys"])
        points.append(tree / "proc/sys")
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", on="dev")
        for name in _DEVICES:
            (tree / "dev" / name).touch()
            run(["mount", "--bind", Path("/dev") / name, tree / "dev" / name])
            points.append(tree / "dev" / name)
        for name, target in {
            "fd": "/proc/self/fd",
            "stdin": "fd/0",
            "stdout": "fd/1",
            "stderr": "fd/2",
        }.items():
            (tree / "dev" / name).symlink_to(target)
        (tree / "dev/shm").mkdir()
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", on="run")
        mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", on="tmp")
        yield
    finally:
        for point in reversed(points):
            run(["umount", "--lazy", point])


@contextmanager
def resolver(tree: Path) -> Iterator[None]:
    """The build machine's name servers for scripts that fetch something; none of it stays."""
    host, inside = Path("/etc/resolv.conf"), tree / "etc/resolv.conf"
    link = inside.readlink() if inside.is_symlink() else None
    content = inside.read_bytes() if link is None and inside.is_file() else None
    inside.unlink(missing_ok=True)
    try:
        if host.is_file():
            inside.write_bytes(host.read_bytes())
        yield
    finally:
        inside.unlink(missing_ok=True)
        if link is not None:
            inside.symlink_to(link)
        elif content is not None:
            inside.write_bytes(content)


def run_inside(
    tree: Path,
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    brief: str | None = None,
) -> str:
    """Run a command in the tree. Raises CommandFailedError like `process.run`, with the command's name."""
    home = {"HOME": "/root", "TMPDIR": "/var/tmp"}  # noqa: S108 - the tree's own
    brief = brief or f"{argv[0]} failed in the image"
    return run(["chroot", tree, *argv], env={**home, **(env or {})}, brief=brief)
