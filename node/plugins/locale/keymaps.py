"""The console's keymap for a keyboard layout: XKB's names on the left, console-data's on the right."""

from __future__ import annotations

import re

KEYMAPS = {
    "us": "us", "be": "be-latin1", "bg": "bg", "br": "br-abnt2", "by": "by", "ca": "cf", "ch": "sg-latin1",
    "cz": "cz-us-qwertz", "de": "de-latin1", "dk": "dk-latin1", "ee": "et", "es": "es", "fi": "fi-latin1",
    "fr": "fr-latin9", "gb": "uk", "gr": "gr", "hr": "croat", "hu": "hu", "il": "il",
    "is": "is-latin1", "it": "it", "jp": "jp106", "kg": "kg", "kz": "kk", "latam": "la-latin1", "lt": "lt",
    "lv": "lv-latin7", "mk": "mk", "nl": "nl", "no": "no-latin1", "pl": "pl", "pt": "pt-latin1", "ro": "ro",
    "rs": "sr", "ru": "ru", "se": "se-latin1", "si": "slovene", "sk": "sk-qwertz", "tr": "trq",
    "ua": "ua-utf",
}  # fmt: skip

_VARIANTS = {
    ("us", "dvorak"): "dvorak",
    ("us", "intl"): "us-intl.iso15",
    ("gb", "dvorak"): "dvorak-uk",
    ("de", "nodeadkeys"): "de-latin1-nodeadkeys",
    ("de", "dvorak"): "dvorak-de",
    ("ch", "fr"): "fr_CH-latin1",
    ("fr", "bepo"): "dvorak-fr-bepo",
    ("cz", "qwerty"): "cz-us-qwerty",
    ("sk", "qwerty"): "sk-qwerty",
}


def keymap(layout: str, variant: str) -> str:
    """Give the keymap of a known layout; that of the layout alone where the variant has none of its own."""
    return _VARIANTS.get((layout, variant)) or KEYMAPS[layout]


def layout_of(name: str) -> tuple[str, str] | None:
    """Give the layout and variant that a console keymap stands for; None where it is of none that we know.

    Besides console-data's names it knows those that kbd makes of XKB's, such as de-nodeadkeys.
    """
    for known, value in _VARIANTS.items():
        if name in (value, "-".join(known)):
            return known
    for layout, value in KEYMAPS.items():
        if name in (value, layout):
            return layout, ""
    layout, _, rest = name.partition("-")
    return (layout, "") if layout in KEYMAPS and re.match("latin|euro", rest) else None
