"""Writes docs/configuration.md from the code: `python -m node.cli.config_docs`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from node.agent.edits import Edit, Operator, edited
from node.boot.rendering import load_plugins, render
from node.errors import NodeError
from node.installer.contributions import PluginTalk
from node.installer.keys import KnownKey, KnownKeys
from node.model.answers import Section, sections_by_key
from node.model.state import RenderedFile, State

_HEAD = "<!-- Written by python -m node.cli.config_docs; a test compares it with the code. -->\n"
_TEXT = """
# Configuration

A node keeps what its operator told it in one document, `/config/node.yaml`: the sections of the
[answers](answers.md) that outlive the installation. At every boot, before systemd starts, `nodectl boot`
makes the files of `/etc` from it. The root itself is in memory: a file of `/etc` that is changed by hand
is as before after a restart, unless it is kept by `nodectl persist add`.

    nodectl config show                              what is set, secrets masked; --all with the defaults
    nodectl config get network.hostname              one value; --reveal prints a secret
    nodectl config set network.hostname=node7        single keys, several at once
    nodectl config edit                              in $VISUAL or $EDITOR, with all keys as comments
    nodectl config validate FILE                     check only, each problem with its line
    nodectl config apply FILE                        the sections that FILE has replace those of the node
    nodectl config apply                             make /etc again what is stored
    nodectl config confirm                           keep a change that is on trial
    nodectl config history                           the last ten versions; with a number, the difference
    nodectl config rollback                          back to the version before, or to the one of a number
    nodectl password                                 asks twice and keeps a hash

All but `password` take `--json`; `set`, `edit`, `apply` and `rollback` take `--dry-run`. They need root, but
for `validate FILE`, and those that change something exclude each other: who comes second waits, and ends with
75 where what he looked at was changed meanwhile.

## Setting keys

| written | means |
| --- | --- |
| `KEY=VALUE` or `KEY VALUE` | The value is a word of YAML 1.2, or YAML in `[`, `{` or quotes. |
| `KEY+=VALUE`, `KEY-=VALUE` | Adds to a list, takes out of it. |
| `KEY=` | Takes the key away: its default counts again. |
| `KEY=@FILE`, `KEY=@-` | The value is what the file, or standard input, holds. |
| `network.dns.0` | An item of a list, counted from 0. |
| `network.netplan.vlans."eth0.10".id` | A part with dots in it stands in quotes. |

A secret, or a mapping with one in it, is refused on the command line, where every program can read it:
`nodectl password` sets passwords, and `KEY=@FILE` takes hashes and keys.

## How a change goes

1. The new configuration is checked as answers are: by the sections' models, by netplan itself, by every
   plugin. All problems are shown at once, and nothing is written then.
2. The difference is shown.
3. It is stored: atomically, flushed, with the version before it kept. A full CONFIG refuses it.
4. The files that it renders otherwise are replaced, each in one step, and the commands that bring them
   into force are run, each once. What counts only from the next start is named.
5. A command that fails, or is ended by Ctrl-C, takes everything back, the stored state too; the command's
   last words are shown, and `nodectl` ends with 1. The end of the session stops nothing half way.

Somebody's change of a rendered file by hand stays until the next start, or until `nodectl config apply`.

## A change of the network is tried first

Whoever changes the network over SSH may saw off the branch that he sits on. So such a change is not stored
at first. Before anything changes, what takes it back is written down in `/run/node/trial`, and a timer of
systemd is set that needs no session. The files are replaced; bonds, bridges, VLANs and their like whose
parameters changed, or that are gone, are removed (systemd-networkd keeps the parameters of a device that
is there), cards with another `set-name` are renamed, those whose `mtu` or `macaddress` is said no more get
their own back, netplan's files are made, networkd reads them, and the cards below a removed device are set
up anew.

- `nodectl config confirm` within 120 s (`--timeout SECONDS`) stores the change, and the trial is over.
- Without it everything is taken back in the same way, and `nodectl config confirm` later says so.
- `nodectl config rollback` takes it back at once.
- A restart or a power cut during the trial comes up with the old configuration.
- While one change is on trial no other one is made (exit code 75), and `nodectl status` says so.
- `--no-trial` stores a change and puts it into force at once, as one may on the console.

A way back that fails is tried three times; then `nodecrust-trial.service` is a failed unit, which `nodectl
status` and the console tell. A restart brings the old configuration in any case.

## Passwords

`nodectl password [USER]` sets the password of the admin user, or of `root`: asked for twice, or read from
standard input with `--stdin`, kept as a yescrypt hash. `--lock` and `--unlock` close and open an account
whatever its password and keys are; `--max-days DAYS` demands a new password after so many days; `--expires
DATE` closes the admin's account from that day on; `--remove` leaves only keys.

A password that is changed by `passwd`, as PAM demands of one that has expired, is taken over: a unit watches
`/etc/shadow` and calls `nodectl password --adopt`, beside a change on trial as soon as that is over. What
else `passwd` and `chage` do, such as `passwd -l`, is as before after a restart.

## All keys

"At once, on trial" is a change that waits for `nodectl config confirm`. A setting of the kernel that is
taken away keeps its value until the next start. What is not listed here, as `storage` and `install`,
speaks of the installation, and is refused; [answers](answers.md) says what the values look like.

{keys}

## What survives what

| | configuration, versions | change on trial | host keys, machine-id | kept files | log, data | by hand |
| --- | --- | --- | --- | --- | --- | --- |
| restart | yes | taken back | yes | yes | yes | no |
| power cut | the old or the new one | taken back | yes | as last saved | what was flushed | no |
| new image | yes, brought up to date | taken back | yes | yes | yes | no |
| reinstallation, `storage.keep` | yes, but for what the answers say | taken back | yes | yes | yes | no |
| reinstallation | as the answers say | gone | new ones | gone | gone | no |
| PXE boot, CONFIG on a disk | yes | taken back | yes | yes | where the disk has them | no |
| PXE boot, no disk | gone | gone | new ones | gone | gone | no |
| the disk in another machine | goes with it | taken back | go with it | go with it | go with it | no |
| a new disk | as the answers say | gone | new ones | gone | gone | no |

With `storage.keep` the kept configuration stays field by field, but for what the answers say: a file, a
kernel argument, what is typed on the screens. What only the image says of itself (`timezone` in its
kickstart, say) is for new nodes.

"Log, data" is `/var/log` and `/data` on their partitions; "by hand" is every other change of the root:
files that are not kept, `useradd`, `systemctl enable`, packages.

A state that is torn, empty, unreadable or refused by its model gives way to the newest good version; the
broken one is kept in `/config/broken`, and the console and `nodectl status` say so. One that is newer than
the image is left as it is, and the node runs with what it knew last; to change anything, boot an image that
knows it, or give it up by `nodectl config rollback --replace-newer`, which keeps a copy in `/config/broken`
and goes back to the newest version that this image knows. A CONFIG that is missing on a node
that had one is an alarm.
"""

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me@desk"
_HASH = "$y$j9T$FLCNCLlRdqDmA0lbNl9yg/$1gdhzKyfXXnBqT1BnYqPAQrGmXlTjcbIlF5fvZfuy51"
_AGING = {"password_hash": _HASH, "password_max_days": 30, "password_changed": "2026-10-01"}
_BASE: Mapping[str, Any] = {
    "access": {"admin": {"ssh_keys": [_KEY], **_AGING}, "root": _AGING},
    "logging": {"forward": ["tls://log.example.org:6514"]},
    "registration": {"server": "https://manage.example.org:8443", "fingerprint": "ab" * 32},
}

# A value for each key that is another than its default and than that of _BASE: with it the node is rendered
# once more, and what differs says how a change comes into force.
SAMPLES: Mapping[str, Any] = {
    "boot.append": "quiet",
    "boot.timeout": 5,
    "network.hostname": "node1",
    "network.netplan": {"ethernets": {"eth0": {"dhcp4": True}}},
    "network.dns": ["192.0.2.53"],
    "network.search": ["example.org"],
    "network.ntp": ["ntp.example.org"],
    "network.hosts": ["192.0.2.7 store"],
    "access.admin.password_hash": "",
    "access.admin.ssh_keys": [_KEY.replace("me@desk", "you@desk")],
    "access.admin.locked": True,
    "access.admin.password_max_days": 90,
    "access.admin.password_changed": "2026-11-01",
    "access.admin.name": "ops",
    "access.admin.sudo": False,
    "access.admin.expires": "2027-06-30",
    "access.root.password_hash": "",
    "access.root.ssh_keys": [_KEY],
    "access.root.locked": True,
    "access.root.password_max_days": 90,
    "access.root.password_changed": "2026-11-01",
    "access.ssh_password_login": True,
    "access.console_reading": False,
    "access.no_login": True,
    "locale.lang": "en_US.UTF-8",
    "locale.keyboard": "de",
    "locale.timezone": "Europe/Berlin",
    "logging.forward": ["udp://192.0.2.9:514"],
    "logging.ca": "-----BEGIN CERTIFICATE-----\nMIIABAAAAAA=\n-----END CERTIFICATE-----\n",
    "logging.tls_name": "other.example.org",
    "registration.server": "https://other.example.org:8443",
    "registration.fingerprint": "12" * 32,
    "registration.token": "nct_another-token",
    "registration.pool": "lab",
    "cobbler.server": "https://other.example.org",
    "cobbler.fingerprint": "34" * 32,
    "cobbler.trust": "network",
    "cobbler.system": "node8",
    "cobbler.netboot_off": False,
    "cobbler.register_system": True,
    "cobbler.profile": "lab",
    "cobbler.user": "node",
    "cobbler.password": "another",
    "kernel.modules": ["dummy"],
    "kernel.options": {"bonding": {"max_bonds": 0}},
    "kernel.blacklist": ["floppy"],
    "kernel.sysctl": {"vm": {"swappiness": 10}},
}

AT_ONCE, TRIED, AT_START = "at once", "at once, on trial", "at the next start"
NO_FILE = "at the next installation"
# No file is made of these: what reads them reads them when it needs to.
_READ_BY_OTHERS: Mapping[str, str] = {
    "access.console_reading": AT_ONCE,
    "access.no_login": "at the next change or installation that would let nobody in",
}


def in_force(dotted: str, value: Any, files_of: Callable[[Mapping[str, Any]], Sequence[RenderedFile]]) -> str:
    """Say when a change of a key counts, by what the plugins render with and without it."""
    edit = Edit(tuple(dotted.split(".")), Operator.SET, value)
    before, after = files_of(_BASE), files_of(edited(_BASE, [edit], {}))
    paths = {file.path for file in after}
    # The commands of a file are those of its new form, or of the old one where it goes.
    changed = [file for file in after if file not in before]
    changed += [file for file in before if file.path not in paths]
    if not changed:
        return _READ_BY_OTHERS.get(dotted, NO_FILE)
    waiting = sorted({file.path for file in changed if file.live is None})
    if all(file.live is None for file in changed):
        return AT_START
    words = TRIED if any(file.on_trial for file in changed) else AT_ONCE
    return f"{words}; {', '.join(f'`{path}`' for path in waiting)} {AT_START}" if waiting else words


def page(sections: Sequence[Section], files_of: Callable[[Mapping[str, Any]], Sequence[RenderedFile]]) -> str:
    """Give docs/configuration.md."""
    known = KnownKeys(sections_by_key(sections))
    rows = [_row(entry, files_of) for entry in known if entry.section.persists and not entry.is_model]
    table = "| key | meaning | a change counts |\n| --- | --- | --- |\n" + "".join(rows)
    return _HEAD + _TEXT.replace("{keys}\n", table)


def _row(entry: KnownKey, files_of: Callable[[Mapping[str, Any]], Sequence[RenderedFile]]) -> str:
    meaning = " ".join((entry.field.description or "").split()).replace("|", "\\|")
    counts = in_force(entry.dotted, SAMPLES[entry.dotted], files_of) if entry.dotted in SAMPLES else ""
    return f"| `{entry.dotted}` | {meaning} | {counts} |\n"


def this_page() -> str:
    """Give the page for the plugins that are loaded."""
    plugins = load_plugins()

    def files_of(sections: Mapping[str, Any]) -> Sequence[RenderedFile]:
        rendering = render(plugins, State(sections=sections))
        if rendering.failures:
            raise NodeError("a sample can't be rendered", details="\n".join(rendering.failures))
        return rendering.files

    return page(PluginTalk(plugins).sections(), files_of)


def main() -> None:
    """Write it into the folder that is given, docs/ by default."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs")
    (folder / "configuration.md").write_text(this_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
