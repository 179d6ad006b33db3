"""The first page: what this machine is, what to do with it, in which language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from node.installer.tui.parts import Host, Part
from node.installer.tui.words import machine_lines, wrapped_values
from node.locale import LANGUAGES, _, language, use
from node.model.inventory import Installation
from node.model.page import Field
from node.tui.rows import PressRow, Row, Words


class MachinePart(Part):
    """What this machine is."""

    def __init__(self, host: Host, field: Field) -> None:
        del field
        lines = wrapped_values(machine_lines(host.session.inventory))
        self._rows: list[Row] = [Words(line, indent=1) for line in lines]
        for unknown in host.session.inventory.unknown:
            self._rows.append(Words(f"{unknown.where}: {unknown.why}", "warning", indent=1))
        self._rows.append(Words(""))

    def rows(self) -> Sequence[Row]:
        """Give a row a fact."""
        return self._rows


class ActionPart(Part):
    """Install, install again and keep the data, run without installing, a shell."""

    def __init__(self, host: Host, field: Field) -> None:
        self._host = host
        self._key = field.key
        found = host.session.inventory.installations
        self._installed = found[0] if len(found) == 1 else None
        actions = [("install", _("Install this machine"), _("Asks a few questions, shows the plan, and asks "
                    "once more before anything is written."))]  # fmt: skip
        if self._installed:
            actions.append(("keep", _words(self._installed), _("Installs anew on the same disk; CONFIG, "
                            "LOGGING and DATA stay as they are.")))  # fmt: skip
        actions += [
            ("run", _("Run without installing"), _("Leaves every disk as it is; the node runs from memory "
             "and forgets everything when it is switched off.")),
            ("rescue", _("Rescue shell"), _("A shell as root, for looking and mending. Leaving it comes back "
             "to this page.")),
        ]  # fmt: skip
        self._rows = {
            action: PressRow("", self._pressed(action), group="action", about=about)
            for action, _words, about in actions
        }
        self._names = {action: words for action, words, _about in actions}
        self.refresh()

    def rows(self) -> Sequence[Row]:
        """Give a row an action."""
        return (*self._rows.values(), Words(""))

    def refresh(self) -> None:
        """Mark the one that was taken."""
        keeps = bool(self._host.session.value("storage.keep")) and self._installed is not None
        chosen = "keep" if keeps else "install"
        for action, row in self._rows.items():
            mark = " " if action in ("run", "rescue") else "●" if action == chosen else "○"
            row.text.set_text(f" {mark} {self._names[action]}")

    def _pressed(self, action: str) -> Callable[[str], bool]:
        def press(key: str) -> bool:
            session = self._host.session
            if action in ("run", "rescue"):
                self._host.act(action)
                return True
            if action == "keep" and self._installed:
                session.set("storage.keep", True)
                disk = session.inventory.disk(self._installed.disk)
                if disk and disk.serial:
                    session.set("storage.disk", {"serial": disk.serial})
            else:
                session.forget("storage.keep")
            self._host.changed()
            self.refresh()
            if key == "enter":
                self._host.go_on()
            return True

        return press


class LanguagePart(Part):
    """The language of the screens: it counts at once."""

    def __init__(self, host: Host, field: Field) -> None:
        self._host = host
        about = _("The language of these screens. That of the node is asked later.")
        self._rows = []
        for code, name in LANGUAGES.items():
            mark = "●" if code == language() else "○"
            row = PressRow(f" {mark} {name}", self._pressed(code), group=field.key, about=about)
            self._rows.append(row)

    def rows(self) -> Sequence[Row]:
        """Give a row a language."""
        return self._rows

    def _pressed(self, code: str) -> Callable[[str], bool]:
        def press(_key: str) -> bool:
            if code != language():
                use(code)
                self._host.rebuild()
            return True

        return press


def _words(found: Installation) -> str:
    words = _("Install again on {disk}, keeping its data")
    return words.replace("{disk}", found.disk) + (f" ({found.hostname})" if found.hostname else "")
