"""The files of /etc that systemd-modules-load, modprobe and systemd-sysctl read."""

from __future__ import annotations

import re
from typing import Any

from node.model.state import RenderedFile
from node.plugins.kernel.answers import KernelAnswers
from node.plugins.kernel.sysctl import flat

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"

_MODULES = (("systemctl", "restart", "systemd-modules-load.service"),)
_SYSCTL = (("systemctl", "restart", "systemd-sysctl.service"),)


def rendered(kernel: KernelAnswers) -> tuple[RenderedFile, ...]:
    """Give the files of what is set.

    What is taken out again, a module or a setting, is as before only at the next boot; so is what
    modprobe.d says of a module that is loaded already.
    """
    files = []
    if kernel.modules:
        text = HEADER + "".join(f"{name}\n" for name in kernel.modules)
        files.append(RenderedFile("/etc/modules-load.d/90-nodecrust.conf", text, live=_MODULES))
    lines = [f"blacklist {name}\n" for name in kernel.blacklist]
    for module, parameters in kernel.options.items():
        words = " ".join(f"{name}={_value(value)}" for name, value in parameters.items())
        lines.append(f"options {module} {words}\n")
    if lines:
        files.append(RenderedFile("/etc/modprobe.d/90-nodecrust.conf", HEADER + "".join(lines)))
    if settings := flat(kernel.sysctl):
        text = HEADER + "".join(f"{key} = {value}\n" for key, value in settings.items())
        files.append(RenderedFile("/etc/sysctl.d/90-nodecrust.conf", text, live=_SYSCTL))
    return tuple(files)


def _value(value: Any) -> str:
    # The kernel's parameters of both kinds, yes-or-no and number, take 0 and 1.
    text = str(int(value)) if isinstance(value, bool) else str(value)
    return f'"{text}"' if re.search(r"[\s#]", text) else text
