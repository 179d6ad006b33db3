"""The kernel arguments of the installed node."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from node.model.inventory import BootImage
from node.model.layout import PlannedPartition

# A word ends at a blank outside double quotes, as the kernel's next_arg() has it.
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')

# What says where this very boot comes from and what the installer is to do; an installed node has its own.
_OURS = ("node.", "initrd=", "BOOT_IMAGE=", "BOOTIF=", "root=", "rd.systemd.gpt_auto=")
# What an installed node reads of its own (node/console/prompt.sh).
_A_NODES = ("node.console=",)


def words(line: str) -> list[str]:
    """Split a kernel command line into its words."""
    return _WORD.findall(line)


def is_ours(word: str) -> bool:
    """Whether a word is the installer's to set, so that it is never taken over from elsewhere."""
    return word.startswith(_OURS) and not word.startswith(_A_NODES)


def carried_over(consoles: Sequence[str], image: BootImage, append: str) -> list[str]:
    """Give the arguments that come from this boot's consoles, the image and the answers, in this order.

    The last console stays the last: it is where /dev/console goes.
    """
    found = [f"console={console}" for console in consoles]
    found += [word for word in words(image.append) if not is_ours(word)]
    return list(dict.fromkeys((*found, *words(append))))


def command_line(root: PlannedPartition, image: BootImage, others: Iterable[str]) -> tuple[str, ...]:
    """Give the arguments for a root slot: what the initrd needs to find and check it, then the others."""
    return tuple(
        dict.fromkeys(
            (
                f"node.image=PARTUUID={root.uuid}",
                f"node.image.size={image.size}",
                f"node.image.sha256={image.sha256}",
                "rd.systemd.gpt_auto=0",
                *others,
            )
        )
    )
