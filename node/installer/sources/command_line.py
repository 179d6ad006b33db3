"""The kernel's command line, taken apart as the kernel does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROC_CMDLINE = Path("/proc/cmdline")

# isspace() of the kernel (lib/ctype.c): these, and 0xA0, which is no whole character of UTF-8.
_SPACE = " \t\n\v\f\r"


@dataclass(frozen=True)
class Argument:
    """One argument; `value` is None where there is no equals sign."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        """The argument as it can stand on a command line; `split` gives it back."""
        text = self.name if self.value is None else f"{self.name}={self.value}"
        return f'"{text}"' if any(letter in _SPACE for letter in text) else text


def split(text: str) -> tuple[Argument, ...]:
    """Take a command line apart, as next_arg() of the kernel's lib/cmdline.c does. Total: never raises.

    A quote anywhere shields spaces; quotes around the whole argument or around the value are dropped;
    there is no escape character.
    """
    arguments: list[Argument] = []
    at = 0
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at >= len(text):
            return tuple(arguments)
        argument, at = _next(text, at)
        arguments.append(argument)


def _next(text: str, start: int) -> tuple[Argument, int]:
    quoted = text[start] == '"'
    begin = start + 1 if quoted else start
    in_quote = quoted
    equals = 0
    end = begin
    while end < len(text) and (in_quote or text[end] not in _SPACE):
        # As in the kernel, an equals sign at the very beginning separates nothing.
        if text[end] == "=" and not equals and end > begin:
            equals = end
        if text[end] == '"':
            in_quote = not in_quote
        end += 1
    last = end
    if quoted and last > begin and text[last - 1] == '"':
        last -= 1
    if not equals:
        return Argument(text[begin:last]), end
    value = text[equals + 1 : last]
    if value.startswith('"'):
        value = value[1:].removesuffix('"')
    return Argument(text[begin:equals], value), end


def read_command_line(path: Path = PROC_CMDLINE) -> str:
    """Give the command line that this kernel was started with; "" where it can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\n\0")
    except OSError:
        return ""
