"""A user namespace with mounts and processes of its own: where every tree is made.

Root inside is whoever builds outside, and the builder's subordinate ids are the other owners, so that
an ordinary user and root make the same bytes, and the end of the namespace's first process takes all
its processes and mounts with it, however the build ends.
"""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from image.held import held_folder
from image.process import run
from node.errors import InputError

# Owners in an image go up to 65534 (nobody).
_IDS_NEEDED = 65535


def command(argv: Sequence[str | Path]) -> list[str]:
    """The command that runs `argv` as the first process of a namespace."""
    return [
        "unshare",
        "--user",
        "--map-root-user",
        "--map-auto",
        "--mount",
        "--pid",
        "--ipc",
        "--uts",
        "--fork",
        "--kill-child=SIGKILL",
        "--",
        *(str(word) for word in argv),
    ]


def check_subordinate_ids() -> None:
    """Raise InputError where this user has no subordinate ids to build with."""
    user, uid = getpass.getuser(), str(os.getuid())
    for name in ("/etc/subuid", "/etc/subgid"):
        try:
            lines = Path(name).read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        ranges = [line.split(":") for line in lines if line.split(":")[0] in (user, uid)]
        if not any(len(one) == 3 and int(one[2]) >= _IDS_NEEDED for one in ranges):
            raise InputError(
                f"{user} has no {_IDS_NEEDED + 1} subordinate ids in {name}",
                mend="run `make setup`, which gives them",
            )


def work_base() -> Path:
    """Where trees are unpacked: $TMPDIR, else /var/tmp, which isn't in memory."""
    return Path(os.environ.get("TMPDIR") or "/var/tmp")  # noqa: S108 - folders of our own in it


@contextmanager
def work_area() -> Iterator[Path]:
    """A folder for one build's trees, whoever owns what is in it; gone afterwards.

    What a killed build left is removed on the way.
    """
    with held_folder(work_base(), f"nodecrust-{os.getuid()}-", remove=_remove) as folder:
        # mmdebstrap's own namespace comes in as another user.
        folder.chmod(0o755)
        yield folder


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError:
        # Files of the subordinate ids: only root of a namespace that maps them may remove those.
        run(command(["rm", "-rf", "--one-file-system", folder]))
