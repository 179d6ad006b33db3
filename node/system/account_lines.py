"""Lines of /etc/passwd and its like, told apart by their first colon-separated field."""

from __future__ import annotations


def merged(image: str, lines: str) -> str:
    """Give the image's text with each of `lines` for the one of the same first field, else at the end."""
    result = {line_key(line): line for line in image.splitlines() if line}
    for line in lines.splitlines():
        if line:
            result[line_key(line)] = line
    return "".join(f"{line}\n" for line in result.values())


def line_key(line: str) -> str:
    """Give the field by which a line is known: the name of the account."""
    return line.partition(":")[0]


def owner_number(text: str, name: str, *, database: str) -> int:
    """Look a user or group up in the text of /etc/`database`; LookupError where it has none of that name."""
    if name.isdigit():
        return int(name)
    for line in text.splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2:
            return int(fields[2])
    if name == "root":
        return 0
    raise LookupError(f"the image has no '{name}' in /etc/{database}")
