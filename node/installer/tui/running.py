"""While it installs and after it: how far it is, then where to log in, or what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import urwid

from node.installer.disk_words import describe_disk
from node.installer.tui.effects import Ended, Outcome
from node.installer.tui.run import Run
from node.installer.tui.words import duration
from node.locale import _, say
from node.model.inventory import Disk
from node.model.page import Page
from node.model.size import format_size
from node.tui.bars import progress
from node.tui.form import Form
from node.tui.rows import ButtonsRow, Row, Words

_STAGES = {
    "check": "Check the disk once more",
    "release": "Take down what uses the disk",
    "partition": "Write the partition table",
    "format": "Make filesystems",
    "mount": "Mount them",
    "payload": "Copy the image",
    "configure": "Write the configuration",
    "vendor": "What plugins add",
    "verify": "Read back what was written",
    "boot": "Make it bootable",
    "record": "Note that it is done",
}


class _Drawn(urwid.Widget):
    """Text that is made anew for the width that there is."""

    _sizing = frozenset([urwid.BOX])
    no_cache = ("render",)

    def __init__(self, lines: Callable[[int], Sequence[Any]]) -> None:
        super().__init__()
        self._lines = lines

    def render(self, size: tuple[int, int], focus: bool = False) -> Any:
        """Draw."""
        rows = [urwid.Text(line) for line in self._lines(size[0])]
        return urwid.CompositeCanvas(urwid.ListBox(urwid.SimpleListWalker(rows)).render(size, focus))


class ProgressPage:
    """Stages, the current step, bytes, rate and the time that is left."""

    page = Page(
        "progress",
        "Installation",
        "The installation runs by itself. Don't switch the machine off. F8 shows the log; Escape asks "
        "whether to stop, and then the disk is left clearly not bootable.",
    )

    def __init__(self, run: Run, disk: Disk | None) -> None:
        self._run = run
        self._disk = disk
        self.widget = _Drawn(self._lines)

    def refresh(self) -> None:
        """It draws itself anew each time."""
        self.widget._invalidate()

    def relaid(self) -> None:
        """It has no rows."""

    def leave(self) -> None:
        """Nothing is typed here."""

    def _lines(self, columns: int) -> list[Any]:
        run = self._run
        done, total = run.overall
        disk = say(describe_disk(self._disk)) if self._disk else ""
        head = _("Installing on {disk}").replace("{disk}", disk)
        lines: list[Any] = [("title", head), "", progress(done, total, columns)]
        left = (
            _("about {time} left").replace("{time}", duration(run.left_s)) if run.left_s is not None else ""
        )
        taken = _("{time} so far").replace("{time}", duration(run.at_s))
        lines += [("dim", ", ".join(part for part in (taken, left) if part)), ""]
        for phase, state in run.stages():
            words = _(_STAGES.get(phase, phase))
            mark = {-1: ("dim", "   "), 0: ("title", " ▸ "), 1: ("good", " ✓ ")}[state]
            lines.append([mark, ({-1: "dim", 0: "title", 1: "label"}[state], words)])
        lines.append("")
        if run.undoing:
            lines.append(
                ("problem", _("It failed and is being taken back: {step}").replace("{step}", run.step))
            )
        else:
            lines.append(say(run.step))
        if run.total:
            lines.append(progress(run.done, run.total, columns))
            rate = f", {format_size(run.rate)}/s" if run.rate else ""
            of = _("{done} of {total}").replace("{done}", format_size(run.done))
            lines.append(("dim", of.replace("{total}", format_size(run.total)) + rate))
        return lines


class DonePage:
    """Where the node is to be reached and what comes next, with a QR code where there is room for one."""

    page = Page("done", "Done", "The node is installed. Take the medium out before it restarts.")

    def __init__(
        self, outcome: Outcome, *, user: str, afterwards: str, leave: Callable[[], None], took_s: float
    ) -> None:
        lines: list[Any] = [("good", _("This node is installed.")), ""]
        took = _("It took {time}.").replace("{time}", duration(took_s))
        lines += [f"{took} {_(_AFTERWARDS.get(afterwards, ''))}".strip(), ""]
        for address in outcome.addresses:
            lines.append([("dim", _("Address") + ": "), address])
        if outcome.fingerprint:
            lines.append([("dim", _("SSH host key") + ": "), outcome.fingerprint])
        if outcome.addresses:
            host = outcome.addresses[0].partition("/")[0]
            lines.append([("dim", _("Log in") + ": "), ("title", f"ssh {user}@{host}")])
        else:
            lines.append(_("Its address is shown on its console once it has started."))
        lines += ["", _("What is next: log in, look with `nodectl status`, change with `nodectl config`.")]
        rows: list[Row] = [_Beside(lines, _qr(outcome.url))]
        words = {"reboot": _("Restart now"), "poweroff": _("Switch off now")}.get(afterwards, _("Leave"))
        self.form = Form(rows, ButtonsRow([(words, leave)]), about_rows=1)
        self.widget = self.form

    def refresh(self) -> None:
        """Nothing changes here any more."""

    def relaid(self) -> None:
        """Nor here."""

    def leave(self) -> None:
        """Nor here."""


class _Beside(Row):
    """Text, and the code to its right, so that both are seen on 24 rows."""

    def __init__(self, lines: Sequence[Any], code: Sequence[str]) -> None:
        text = urwid.Text([piece for line in lines for piece in ((line, "\n") if line else "\n")][:-1])
        picture = urwid.Text(("qr", "\n".join(code)), wrap="clip")
        columns = [("weight", 1, text)] + ([(len(code[0]), picture)] if code else [])
        super().__init__(urwid.Columns(columns, dividechars=2))

    def selectable(self) -> bool:
        """It is only looked at."""
        return False


class FailedPage:
    """What went wrong, whose it is, what the disk is now and how to go on."""

    page = Page("failed", "Failed", "Nothing more is written. F8 shows the log, F2 a shell.")

    def __init__(self, ended: Ended, *, again: Callable[[], None], log: Callable[[], None]) -> None:
        rows = [Words(("problem", _("The installation failed."))), Words(""), Words(say(ended.brief))]
        facts = [
            (_("Step"), f"{ended.step} ({ended.owner or 'nodecrust'})" if ended.step else ""),
            (_("The disk now"), say(ended.disk_state)),
            (_("What to do"), say(ended.mend)),
        ]
        rows += [Words([("dim", f"{term}: "), value]) for term, value in facts if value]
        if ended.details:
            rows += [Words(""), Words(("title", _("Its last words")))]
            rows += [Words(line, "dim", indent=2) for line in ended.details.splitlines()[-12:]]
        buttons = ButtonsRow([(_("To the summary"), again), (_("Log"), log)])
        self.form = Form(rows, buttons, about_rows=1)
        self.widget = self.form

    def refresh(self) -> None:
        """Nothing changes here any more."""

    def relaid(self) -> None:
        """Nor here."""

    def leave(self) -> None:
        """Nor here."""


_AFTERWARDS = {
    "reboot": "The machine restarts from its own disk.",
    "poweroff": "The machine is switched off.",
    "stay": "The machine stays on.",
}


def _qr(text: str) -> list[str]:
    """Give a QR code as text, two rows of modules in one of signs; none without the library for it."""
    if not text:
        return []
    try:
        import segno  # noqa: PLC0415 - the screens do without it
    except ImportError:
        return []
    code = segno.make(text, error="l", micro=False)
    matrix = [[bool(module) for module in row] for row in code.matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append([False] * len(matrix[0]))
    # Light on dark: the light modules are drawn, since most consoles have a dark ground.
    signs = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
    return [
        "".join(signs[upper, lower] for upper, lower in zip(above, below, strict=True))
        for above, below in zip(matrix[::2], matrix[1::2], strict=True)
    ]
