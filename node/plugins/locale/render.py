"""The files of /etc for language, keyboard and time zone, in Debian's places and in systemd's."""

from __future__ import annotations

from node.model.state import RenderedFile
from node.plugins.locale.answers import LocaleAnswers

# Where the console's keymap has another name than the XKB layout (systemd's kbd-model-map).
_KEYMAPS = {
    "be": "be-latin1", "br": "br-abnt2", "ca": "cf", "ch": "sg", "cn": "us", "cz": "cz", "dk": "dk-latin1",
    "fi": "fi", "gb": "uk", "il": "us", "jp": "jp106", "kr": "us", "latam": "la-latin1", "no": "no",
    "pt": "pt-latin1", "se": "sv-latin1", "sk": "sk-qwerty", "tr": "trq",
}  # fmt: skip
_VARIANT_KEYMAPS = {
    ("us", "dvorak"): "dvorak",
    ("de", "nodeadkeys"): "de-latin1-nodeadkeys",
    ("ch", "fr"): "fr_CH",
}


def keymap(layout: str, variant: str) -> str:
    """Give the name of the console keymap for an XKB layout."""
    return _VARIANT_KEYMAPS.get((layout, variant)) or _KEYMAPS.get(layout, layout)


def rendered(locale: LocaleAnswers) -> tuple[RenderedFile, ...]:
    """Give the files of what is set; the rest stays as the image has it."""
    files: list[RenderedFile] = []
    if locale.lang:
        files.append(RenderedFile("/etc/locale.conf", f"LANG={locale.lang}\n"))
        files.append(RenderedFile("/etc/default/locale", target="../locale.conf"))
    if locale.keyboard:
        layout, variant = locale.layout
        xkb = f'XKBMODEL="pc105"\nXKBLAYOUT="{layout}"\nXKBVARIANT="{variant}"\nXKBOPTIONS=""\n'
        files.append(RenderedFile("/etc/default/keyboard", f'{xkb}BACKSPACE="guess"\n'))
        files.append(RenderedFile("/etc/vconsole.conf", f"KEYMAP={keymap(layout, variant)}\n{xkb}"))
    if locale.timezone:
        files.append(RenderedFile("/etc/localtime", target=f"/usr/share/zoneinfo/{locale.timezone}"))
        files.append(RenderedFile("/etc/timezone", f"{locale.timezone}\n"))
    return tuple(files)
