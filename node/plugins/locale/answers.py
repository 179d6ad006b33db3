"""The section `locale` of the answers."""

from __future__ import annotations

import re
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, field_validator

from node.model.answers import SectionModel
from node.model.near import nearest
from node.model.refusal import refuse
from node.plugins.locale.keymaps import KEYMAPS, layout_of

# locale(7): language, territory, character set, modifier.
_LANG = re.compile(r"(?:C|POSIX|[a-z]{2,3}(?:_[A-Z]{2})?)(?:\.[A-Za-z0-9-]+)?(?:@[a-z]+)?")
# An XKB layout with its variant in brackets, as xkeyboard-config(7) writes them: us, de(nodeadkeys).
_KEYBOARD = re.compile(r"(?P<layout>[a-z]{2,12})(?:\((?P<variant>[A-Za-z0-9_-]{1,32})\))?")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")


class LocaleAnswers(SectionModel):
    """Language, keyboard and time zone; empty values stay as the image has them."""

    key: ClassVar[str] = "locale"
    persists: ClassVar[bool] = True

    lang: str = Field(
        default="", description="Language, such as C.UTF-8 or en_US.UTF-8, as far as the image has it."
    )
    keyboard: str = Field(
        default="", description="Keyboard layout as XKB names it, such as us or de(nodeadkeys)."
    )
    timezone: str = Field(default="", description="Time zone, such as UTC or Europe/Berlin.")

    @property
    def layout(self) -> tuple[str, str]:
        """The keyboard's XKB layout and variant."""
        match = _KEYBOARD.fullmatch(self.keyboard)
        return (match["layout"], match["variant"] or "") if match else ("", "")

    @field_validator("lang")
    @classmethod
    def _check_lang(cls, lang: str) -> str:
        if lang and not _LANG.fullmatch(lang):
            raise refuse(
                "language-invalid", f"'{lang}' is not a locale", "Write one such as C.UTF-8 or en_US.UTF-8"
            )
        return lang

    @field_validator("keyboard")
    @classmethod
    def _check_keyboard(cls, keyboard: str) -> str:
        match = _KEYBOARD.fullmatch(keyboard)
        if keyboard and (match is None or match["layout"] not in KEYMAPS):
            near = _near_layout(keyboard)
            known = f"Write one of {', '.join(sorted(KEYMAPS))}; a variant goes in brackets: de(nodeadkeys)"
            mend = f"Did you mean {near}? {known}" if near else known
            raise refuse("keyboard-unknown", f"'{keyboard}' is not a keyboard layout", mend)
        return keyboard

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, timezone: str) -> str:
        if timezone and timezone != "UTC" and (not _ZONE.fullmatch(timezone) or not _is_known(timezone)):
            near = nearest(timezone, sorted(available_timezones()))
            mend = f"Did you mean {near}?" if near else "Write one such as UTC or Europe/Berlin"
            raise refuse("timezone-unknown", f"'{timezone}' is not a time zone", mend)
        return timezone


def _near_layout(keyboard: str) -> str:
    """Give the layout that a console keymap's name stands for (`de-latin1`), or the nearest one."""
    if meant := layout_of(keyboard):
        layout, variant = meant
        return f"{layout}({variant})" if variant else layout
    return nearest(keyboard.partition("(")[0], KEYMAPS)


def _is_known(timezone: str) -> bool:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A machine without a time zone database can't tell; there, any name of the right form passes.
        return not available_timezones()
    return True
