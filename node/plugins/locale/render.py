"""The files of /etc for language, keyboard and time zone, in Debian's places and in systemd's."""

from __future__ import annotations

from node.model.state import RenderedFile
from node.plugins.locale.answers import LocaleAnswers
from node.plugins.locale.keymaps import keymap

_UNIT = "nodecrust-keyboard.service"
_READ_UNITS = (("systemctl", "daemon-reload"),)
# It reads the file, so that it is right where the key is taken away, too. A node without a console of its
# own, or without loadkeys, has nothing to load it for.
_LOAD_KEYMAP = """\
[ -e /dev/tty0 ] && [ -x /usr/bin/loadkeys ] || exit 0
[ ! -r /etc/vconsole.conf ] || . /etc/vconsole.conf
exec /usr/bin/loadkeys -q -C /dev/tty0 "${KEYMAP:-us}"\
"""
_LOAD = (("sh", "-c", _LOAD_KEYMAP.replace("\n", "; ")),)


def rendered(locale: LocaleAnswers) -> tuple[RenderedFile, ...]:
    """Give the files of what is set; the rest stays as the image has it."""
    files: list[RenderedFile] = []
    if locale.lang:
        # Who logs in next has it; services have it from the next boot on.
        files.append(RenderedFile("/etc/locale.conf", f"LANG={locale.lang}\n", live=()))
        files.append(RenderedFile("/etc/default/locale", target="../locale.conf", live=()))
    if locale.keyboard:
        layout, variant = locale.layout
        name = keymap(layout, variant)
        xkb = f'XKBMODEL="pc105"\nXKBLAYOUT="{layout}"\nXKBVARIANT="{variant}"\nXKBOPTIONS=""\n'
        files.append(RenderedFile("/etc/default/keyboard", f'{xkb}BACKSPACE="guess"\n', live=()))
        files.append(RenderedFile("/etc/vconsole.conf", f"KEYMAP={name}\n{xkb}", live=_LOAD))
        files += _loading(name)
    if locale.timezone:
        files.append(RenderedFile("/etc/localtime", target=f"/usr/share/zoneinfo/{locale.timezone}", live=()))
        files.append(RenderedFile("/etc/timezone", f"{locale.timezone}\n", live=()))
    return tuple(files)


def _loading(name: str) -> list[RenderedFile]:
    """Give the unit that loads a keymap; Debian's own way needs Perl, which the image leaves out.

    The console begins with the layout `us`. A keymap that the image lacks is no failure of the node.
    """
    if name == "us":
        return []
    unit = f"""\
[Unit]
Description=Keyboard layout {name} of the console
ConditionPathExists=/usr/bin/loadkeys
ConditionPathExists=/dev/tty0
Before=getty.target

[Service]
Type=oneshot
ExecStart=-/usr/bin/loadkeys -q -C /dev/tty0 {name}
TimeoutStartSec=90
"""
    wants = f"/etc/systemd/system/multi-user.target.wants/{_UNIT}"
    return [
        RenderedFile(f"/etc/systemd/system/{_UNIT}", unit, live=_READ_UNITS),
        RenderedFile(wants, target=f"../{_UNIT}", live=_READ_UNITS),
    ]
