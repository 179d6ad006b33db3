"""Keys from the bytes of a terminal: of the Linux console, xterm, and of a vt100 without function keys."""

from __future__ import annotations

# Bytes behind ESC -> the key as urwid names it. Linux console_codes(4), xterm's ctlseqs, DEC's VT220 manual.
_SEQUENCES: dict[bytes, str] = {
    b"[A": "up", b"[B": "down", b"[C": "right", b"[D": "left", b"[H": "home", b"[F": "end",
    b"OA": "up", b"OB": "down", b"OC": "right", b"OD": "left", b"OH": "home", b"OF": "end",
    b"[1~": "home", b"[2~": "insert", b"[3~": "delete", b"[4~": "end", b"[5~": "page up", b"[6~": "page down",
    b"[7~": "home", b"[8~": "end", b"[Z": "shift tab",
    b"OP": "f1", b"OQ": "f2", b"OR": "f3", b"OS": "f4",
    b"[[A": "f1", b"[[B": "f2", b"[[C": "f3", b"[[D": "f4",
    b"[[E": "f5", b"[11~": "f1", b"[12~": "f2", b"[13~": "f3", b"[14~": "f4", b"[15~": "f5", b"[17~": "f6",
    b"[18~": "f7", b"[19~": "f8", b"[20~": "f9", b"[21~": "f10", b"[23~": "f11", b"[24~": "f12",
    # Where a terminal keeps the function keys for itself, Escape and a digit stand for them.
    **{f"{digit}".encode(): f"f{digit}" for digit in range(1, 10)}, b"0": "f10",
}  # fmt: skip
_PREFIXES = {name[:length] for name in _SEQUENCES for length in range(1, len(name))}
_SINGLE = {0x0D: "enter", 0x0A: "enter", 0x09: "tab", 0x7F: "backspace", 0x08: "backspace"}
# A lone Escape and the beginning of a sequence look alike; at 9600 baud a byte takes a millisecond.
SEQUENCE_S = 0.1
# Fingers need longer: Escape, then a digit for a function key, on lines that may have none.
DIGIT_S = 0.5
_LONGEST = 24


class KeyReader:
    """Takes bytes and gives keys. `patience_s` is how long a lone Escape waits for what belongs to it."""

    def __init__(self, *, patience_s: float = SEQUENCE_S) -> None:
        self.patience_s = patience_s
        self._bytes = b""

    @property
    def waits(self) -> bool:
        """Whether something was begun that time will end: call `give_up` after `patience_s`."""
        return bool(self._bytes)

    def feed(self, data: bytes) -> list[str]:
        """Give the keys that are complete now."""
        self._bytes += data
        keys = []
        while self._bytes:
            found = self._next()
            if found is None:
                break
            if found:
                keys.append(found)
        return keys

    def give_up(self) -> list[str]:
        """Give what was begun for what it is: a lone Escape, and the rest by itself."""
        if not self._bytes:
            return []
        rest, self._bytes = self._bytes, b""
        if rest[:1] != b"\x1b":
            return []  # a letter of which the rest was lost
        return ["esc", *self.feed(rest[1:])]

    def _next(self) -> str | None:
        """Take one key off; "" for what stands for none, None where more must come."""
        first = self._bytes[0]
        if first == 0x1B:
            return self._escape()
        if first in _SINGLE:
            return self._taken(1, _SINGLE[first])
        if first < 0x20:
            return self._taken(1, f"ctrl {chr(first + 0x60)}")
        if first < 0x80:
            return self._taken(1, chr(first))
        return self._letter(first)

    def _letter(self, first: int) -> str | None:
        # UTF-8 (RFC 3629) says in the first byte how many there are.
        length = 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2
        wrong = not 0xC2 <= first <= 0xF4 or any(byte >> 6 != 0b10 for byte in self._bytes[1:length])
        if wrong:
            return self._taken(1, "")
        if len(self._bytes) < length:
            return None
        return self._taken(length, self._bytes[:length].decode("utf-8", "replace"))

    def _escape(self) -> str | None:
        rest = self._bytes[1:]
        for length in range(min(len(rest), 5), 0, -1):
            if key := _SEQUENCES.get(rest[:length]):
                return self._taken(1 + length, key)
        if not rest or rest in _PREFIXES:
            return None
        if rest[:1] == b"[" and rest[:2] != b"[[":
            return self._unknown(rest)
        if rest[:1] == b"O":
            return self._taken(3, "") if len(rest) > 1 else None
        return self._taken(1, "esc")

    def _unknown(self, rest: bytes) -> str | None:
        """Pass over a sequence that we don't know, to its last byte (ECMA-48, 5.4)."""
        for place, byte in enumerate(rest[1:], 1):
            if 0x40 <= byte <= 0x7E:
                return self._taken(place + 2, "")
        return None if len(rest) < _LONGEST else self._taken(1 + len(rest), "")

    def _taken(self, length: int, key: str) -> str:
        self._bytes = self._bytes[length:]
        return key
