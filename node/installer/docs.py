"""Writes docs/answers.md and docs/kernel-arguments.md from the code: `python -m node.installer.docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from node.installer.flow import load_plugins
from node.installer.keys import KnownKey, KnownKeys
from node.installer.sources.own_arguments import OWN_ARGUMENTS
from node.model.answers import Section, sections_by_key
from node.model.size import format_size

_HEAD = "<!-- Written by python -m node.installer.docs; a test compares it with the code. -->\n"

_ANSWERS = """
# Answers

Everything that can be asked of an installation is one document, in YAML or JSON. The screen, the kernel
command line and a file say the same things; what none of them says has a default.

```yaml
{example}```

Where a key is set more than once, the later one of these counts: default, the image
(`/usr/lib/nodecrust/answers.yaml`), the file, a [kernel argument](kernel-arguments.md), the screen. Mappings
are merged key by key, lists are replaced as a whole.

YAML is read as version 1.2 has it: `no` is text and not false, `0123` and `52:54:00:12:34:56` are text too.
A key that is not known, or stands twice, is a problem; all problems are shown at once, with their lines.

`nodectl schema` prints this as JSON Schema, the sections of vendors' plugins included. `nodectl plan
--answers FILE` shows what a document would do.

A size is a number with a unit: `512MiB`, `4GB`, `1.5T`.

`version` is the version of this form: 1.
"""

EXAMPLE = """\
version: 1
install:
  mode: unattended
storage:
  disk:
    transport: nvme
    prefer: smallest
  consent: [S43FNX0M100001]
network:
  hostname: node1
access:
  admin:
    ssh_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me@desk
locale:
  timezone: Europe/Berlin
"""

_KERNEL = """
# Kernel arguments

Every key of the [answers](answers.md) is a kernel argument too: `node.` and its dotted name.

    node.install.mode=unattended node.storage.disk.serial=S43FNX0M100001 node.network.hostname=node1

- Lists are split at commas, and an argument that is given again adds to its list: `node.network.dns=A,B`.
- A boolean without a value is true: `node.storage.keep`.
- Spaces need quotes, as the kernel has them: `"node.access.admin.ssh_keys=ssh-ed25519 AAAA me"`.
- Below a mapping of any keys a value is a word of YAML: `node.network.netplan.ethernets.eth0.dhcp4=true`.
- `-` counts as `_`. Of keys that are no lists, the last one stands.
- An argument that begins with `node.` and is not known is a problem, and nothing is written.
- Every program on the machine can read the kernel command line: password hashes are better off in a file.

## Arguments that are no answers

{own}
The network before the node has one of its own is said as dracut.cmdline(7) has it: `ip=` in all forms,
`bond=` with the driver's options, `vlan=`, `bridge=`, `nameserver=`, `rd.route=`, `rd.peerdns=0`, `ifname=`.
What can't be honoured is refused in words before any network is up. `ip=` without an interface goes to what
these make, else to the card of `BOOTIF=01-aa-bb-cc-dd-ee-ff`, which pxelinux's `IPAPPEND 2` gives and the
machine booted over, else (DHCP) to every card. A node with a stored configuration forgets all of it once that
is in force; an installer and a node without one go on with it.

## Arguments of old nodes

`management_server=HOST[:PORT]` means `node.registration.server=https://HOST[:PORT]`, and
`management_server_fingerprint=HEX` means `node.registration.fingerprint=HEX`; so do `node.legacy.` with these
names.

## Where answers come from

| `node.answers=` | is believed when |
| --- | --- |
| `medium:/answers.yaml` | always: the file on the boot medium, or on the FAT partition of the stick |
| `file:/path` | always: a file of the image |
| `https://...` | the chain ends at the pinned CA, or `node.answers.sha256` matches |
| `http://...`, `tftp://...` | `node.answers.sha256` matches |

`node.answers.trust=network` takes them unchecked; a warning then stands on every console. A server that
is away is asked again, at growing intervals. A node that is installed already is booted from its disk
meanwhile: at once where its kernel arguments say `node.install.mode=unattended`, after 30 s, in which Enter
objects, where they say nothing of the mode.

## A machine that boots over the network first

An unattended run that finds a finished installation boots it and writes nothing. To install again, add
`node.reinstall=ID` with an ID of your choice: the node records it, and the same ID does nothing again. The
disk holds data then, so `storage.consent` must name it. A layout without CONFIG can't record anything, so an
unattended run refuses it.

## All keys

{keys}"""


def answers_page(sections: Sequence[Section]) -> str:
    """Give docs/answers.md."""
    known = KnownKeys(sections_by_key(sections))
    parts = [_HEAD, _ANSWERS.format(example=EXAMPLE)]
    for section in sections:
        parts.append(f"\n## {section.key}: {section.title}\n\n")
        if section.help:
            parts.append(f"{section.help}\n\n")
        schema = section.model.model_json_schema()
        parts.append("| key | value | default | meaning |\n| --- | --- | --- | --- |\n")
        parts += [_row(entry, schema) for entry in known if entry.section is section.model]
    return "".join(parts)


def kernel_arguments_page(sections: Sequence[Section]) -> str:
    """Give docs/kernel-arguments.md."""
    own = "".join(
        f"| `node.{argument.name}={_cell(argument.form)}` | {_cell(argument.help)} |\n"
        for argument in OWN_ARGUMENTS
    )
    known = KnownKeys(sections_by_key(sections))
    keys = "".join(f"    node.{entry.dotted}\n" for entry in known if not entry.is_model)
    return _HEAD + _KERNEL.format(own=f"| argument | meaning |\n| --- | --- |\n{own}", keys=keys)


def pages() -> Mapping[str, str]:
    """Give the pages by their file names, for the plugins that are loaded."""
    sections = load_plugins().sections()
    return {"answers.md": answers_page(sections), "kernel-arguments.md": kernel_arguments_page(sections)}


def _row(entry: KnownKey, schema: Mapping[str, Any]) -> str:
    inner = entry.dotted.split(".")[1:]
    found = _property(schema, inner)
    if entry.is_model:
        return f"| `{entry.dotted}` | | | {_cell(entry.field.description or '')} |\n"
    default = _default(entry)
    return (
        f"| `{entry.dotted}` | {_cell(' or '.join(dict.fromkeys(_words(found, schema))))} | "
        f"{_cell(default)} | {_cell(entry.field.description or '')} |\n"
    )


def _default(entry: KnownKey) -> str:
    value = entry.field.get_default(call_default_factory=True)
    if value in (None, "", (), [], {}, frozenset()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and value >= 1 << 20:
        return f"`{format_size(value)}`"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"


def _property(schema: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    current: Mapping[str, Any] = schema
    for name in path:
        for option in _options(current, schema):
            if name in option.get("properties", {}):
                current = option["properties"][name]
                break
    return current


def _options(found: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give what a schema admits, references and alternatives resolved."""
    if reference := found.get("$ref"):
        yield from _options(schema["$defs"][reference.rpartition("/")[2]], schema)
    elif alternatives := found.get("anyOf") or found.get("allOf"):
        for alternative in alternatives:
            yield from _options(alternative, schema)
    else:
        yield found


def _words(found: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    options = list(_options(found, schema))
    kinds = {option.get("type") for option in options}
    # A number that may be text with a unit is a size.
    if {"integer", "string"} <= kinds:
        yield "size"
        kinds -= {"integer", "string"}
    for option in options:
        kind = option.get("type")
        if "enum" in option or "const" in option:
            choices = option.get("enum", [option.get("const")])
            yield from ("empty" if value == "" else f"`{value}`" for value in choices)
        elif kind == "array":
            yield f"list of {' or '.join(dict.fromkeys(_words(option.get('items', {}), schema)))}"
        elif kind == "null" or kind not in kinds | {"array"}:
            continue
        else:
            plain = {"boolean": "`true`, `false`", "string": "text", "integer": "number", "number": "number"}
            yield plain.get(str(kind), "mapping")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the pages below the folder that is given, docs/ by default."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs")
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
