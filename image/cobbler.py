"""An output folder as a distro and a profile of cobbler, over its XML-RPC; safe to do again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image.menus import Boot, kernel_arguments
from image.pxe import slashed
from node.errors import InputError
from node.plugins.cobbler.api import Cobbler

# cobbler adds arguments of each distribution's own installer; to this breed it adds none.
_BREED = "generic"
_TEMPLATE_MOST = 256 << 10


@dataclass(frozen=True)
class Import:
    """What is to be in cobbler. `path` is where the folder lies on cobbler's machine.

    `base_url` is where machines fetch the root image from. `kickstart` is rendered by cobbler for each system
    and read by the node as its answers; `answers` says where machines find it.
    """

    name: str
    path: Path
    base_url: str
    kickstart: Path | None = None
    answers: str = ""


@dataclass(frozen=True)
class Imported:
    """What came of it: the objects that were made or changed, in words, and the kernel arguments."""

    changed: tuple[str, ...]
    arguments: str


def import_into(cobbler: Cobbler, token: str, boot: Boot, wanted: Import) -> Imported:
    """Make or update distro, profile and template. What is as it should be is left alone."""
    cobbler.version()
    arguments = arguments_for(boot, wanted)
    distro: dict[str, Any] = {
        "kernel": str(wanted.path / "vmlinuz"),
        "initrd": str(wanted.path / "initrd"),
        "arch": "x86_64",
        "breed": _BREED,
        "kernel_options": arguments,
        "comment": boot.title,
    }
    profile: dict[str, Any] = {"distro": wanted.name}
    changed = []
    if wanted.kickstart is not None:
        template = f"{wanted.name}.ks"
        if _template(cobbler, token, template, _text(wanted.kickstart)):
            changed.append(f"template {template}")
        profile["autoinstall"] = template
    if _item(cobbler, token, "distro", wanted.name, distro):
        changed.append(f"distro {wanted.name}")
    if _item(cobbler, token, "profile", wanted.name, profile):
        changed.append(f"profile {wanted.name}")
    return Imported(tuple(changed), arguments)


def arguments_for(boot: Boot, wanted: Import) -> str:
    """Give the kernel arguments of the profile: the image's, and where cobbler renders the answers."""
    line = kernel_arguments(boot, f"{slashed(wanted.base_url)}root.squashfs")
    if wanted.kickstart is None:
        return line
    # cobbler fills in the system's name. It has nothing better than plain http to be believed by.
    return f"{line} node.answers={wanted.answers} node.answers.trust=network node.install.mode=unattended"


def _item(cobbler: Cobbler, token: str, kind: str, name: str, wanted: Mapping[str, Any]) -> bool:
    """Make or change one object; False where it was so already."""
    known = name in cobbler.call(f"find_{kind}", {"name": name})
    if known:
        found = cobbler.call(f"get_{kind}", name)
        if isinstance(found, dict) and all(_same(found.get(key), value) for key, value in wanted.items()):
            return False
        handle = cobbler.call(f"get_{kind}_handle", name, token)
    else:
        handle = cobbler.call(f"new_{kind}", token)
        cobbler.call(f"modify_{kind}", handle, "name", name, token)
    for key, value in wanted.items():
        cobbler.call(f"modify_{kind}", handle, key, value, token)
    if not cobbler.call(f"save_{kind}", handle, token):
        raise InputError(f"cobbler did not save the {kind} {name}")
    return True


def _same(found: Any, wanted: Any) -> bool:
    """Compare a value with what cobbler made of it: kernel arguments are a dictionary there."""
    if isinstance(found, dict):
        return words_of(found) == sorted(str(wanted).split())
    return str(found) == str(wanted)


def words_of(options: Mapping[str, Any]) -> list[str]:
    """Give cobbler's kernel options as words, sorted: an argument that comes twice is a list there."""
    found: list[str] = []
    for key, value in options.items():
        for each in value if isinstance(value, list) else [value]:
            found.append(key if each in (None, "", "~") else f"{key}={each}")
    return sorted(found)


def _template(cobbler: Cobbler, token: str, name: str, text: str) -> bool:
    known = name in cobbler.call("get_autoinstall_templates", token)
    if known and cobbler.call("read_autoinstall_template", name, token) == text:
        return False
    cobbler.call("write_autoinstall_template", name, text, token)
    return True


def _text(path: Path) -> str:
    try:
        contents = path.read_bytes()
        if len(contents) > _TEMPLATE_MOST:
            raise InputError(f"{path} is too long for a kickstart")
        return contents.decode()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8") from None
