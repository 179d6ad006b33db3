"""Reads a kickstart by pykickstart, with the file and line of everything, through includes."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

from pykickstart.base import BaseHandler
from pykickstart.errors import KickstartError
from pykickstart.parser import STATE_COMMANDS, KickstartParser, Packages, PutBackIterator, Script
from pykickstart.sections import NullSection, PackageSection, PostScriptSection
from pykickstart.version import DEVEL, makeVersion, stringToVersion

from image.directives import REFUSED_SECTIONS, not_honoured
from image.origin import Complaint, Origin
from node.errors import InputError

_VERSION_LINE = re.compile(r"^#\s*version\s*=\s*(\S+)", re.MULTILINE)


class _Lines(PutBackIterator):  # type: ignore[misc]
    """The lines of one file, counting, so that any error has a line, whoever raises it."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__([*text.splitlines(keepends=True), ""])
        self.path = path
        self.count = 0

    def __next__(self) -> str:
        line: str = super().__next__()
        # An empty one stands for the end.
        self.count += bool(line)
        return line

    def put(self, s: str) -> None:
        super().put(s)
        self.count -= bool(s)


class _Stop(Exception):
    """Reading can't go on; why stands in the complaints."""


class KickstartReader(KickstartParser):  # type: ignore[misc]
    """Parses as pykickstart does, and keeps what pykickstart forgets: origins, and every complaint."""

    def __init__(self, handler: BaseHandler) -> None:
        self.complaints: list[Complaint] = []
        self.directives: list[tuple[Origin, str, Any]] = []
        self.package_origins: dict[str, Origin] = {}
        self.script_origins: list[Origin] = []
        self.digest = hashlib.sha256()
        self._open: list[_Lines] = []
        super().__init__(handler)

    @property
    def here(self) -> Origin:
        """The line that is being read."""
        return Origin(self._open[-1].path, self._open[-1].count)

    def complain(self, message: str) -> None:
        """Keep a complaint about the current line and read on."""
        self.complaints.append(Complaint(self.here, message.strip()))

    def read(self, path: Path) -> None:
        """Read a file and what it includes; `complaints` then says what is wrong."""
        try:
            self._read(path)
        except _Stop:
            return

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        self.digest.update(f"{len(text)}\n{text}".encode())
        lines = _Lines(path, text)
        self._open.append(lines)
        try:
            self._stateMachine(lines)
        except KickstartError as error:
            self.complain(str(error.message or error))
            raise _Stop from error
        except ValueError as error:  # shlex: quotation that doesn't end
            self.complain(str(error))
            raise _Stop from error
        self._open.pop()

    def _isBlankOrComment(self, s: str) -> bool:
        # pykickstart passes over it: it is the matter of a step before, which nobody takes here.
        if self._state == STATE_COMMANDS and s.split()[:1] == ["%ksappend"]:
            self.complain("%ksappend is not honoured by this builder")
        return bool(super()._isBlankOrComment(s))

    def _handleInclude(self, f: str) -> None:
        if "://" in f:
            self.complain(f"%include {f}: only files are included, no addresses")
            return
        path = Path(f)
        if not path.is_absolute():
            path = self._open[-1].path.parent / path
        if any(path.resolve() == lines.path.resolve() for lines in self._open):
            self.complain(f"%include {f}: the file includes itself")
            raise _Stop
        if not path.is_file():
            self.complain(f"%include {f}: there is no file {path}" if f else "%include which file?")
            return
        self._includeDepth += 1
        self._read(path)
        self._includeDepth -= 1

    def handleCommand(self, lineno: int, args: list[str]) -> Any:
        """Dispatch one directive; a wrong one is kept as a complaint and the next one is read."""
        refused = not_honoured(args)
        if refused and args[0] in self.handler.commands:
            for what in refused:
                self.complain(f"{what} is not honoured by this builder")
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = super().handleCommand(lineno, args)
        except KickstartError as error:
            self.complain(str(error.message or error))
            return None
        # Some directives have one object for all their lines, which each line changes.
        self.directives.append((self.here, args[0], copy(value)))
        return value

    def _finalize(self, obj: Any) -> None:
        known = len(self.handler.scripts)
        super()._finalize(obj)
        self.script_origins += [self._section_start] * (len(self.handler.scripts) - known)

    def setupSections(self) -> None:
        """Only the sections that an image build has a moment for; the others are refused by name."""
        self._sections: dict[str, Any] = {}
        self.registerSection(_PackagesSection(self.handler, dataObj=Packages, reader=self))
        self.registerSection(_PostSection(self.handler, dataObj=Script, reader=self))
        for name in REFUSED_SECTIONS:
            self.registerSection(_RefusedSection(self.handler, sectionOpen=name, reader=self))

    _section_start = Origin(Path(), 0)

    def open_section(self, words: Sequence[str]) -> None:
        """Note where a section starts, and complain about its options that are not honoured."""
        self._section_start = self.here
        for what in not_honoured(words):
            self.complain(f"{what} is not honoured by this builder")


class _PackagesSection(PackageSection):  # type: ignore[misc]
    def __init__(self, handler: BaseHandler, *, reader: KickstartReader, **kwargs: Any) -> None:
        super().__init__(handler, **kwargs)
        self._reader = reader

    def handleHeader(self, lineno: int, args: list[str]) -> None:
        self._reader.open_section(args)
        packages = self.handler.packages
        docs_excluded = packages.excludeDocs
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            super().handleHeader(lineno, args)
        # pykickstart lets the last section say alone; what one file asks for, one that includes it keeps.
        packages.excludeDocs = packages.excludeDocs or docs_excluded

    def handleLine(self, line: str) -> None:
        word = line.partition("#")[0].strip()
        self._reader.package_origins[word.removeprefix("-")] = self._reader.here
        super().handleLine(line)


class _PostSection(PostScriptSection):  # type: ignore[misc]
    def __init__(self, handler: BaseHandler, *, reader: KickstartReader, **kwargs: Any) -> None:
        super().__init__(handler, **kwargs)
        self._reader = reader

    def handleHeader(self, lineno: int, args: list[str]) -> None:
        self._reader.open_section(args)
        super().handleHeader(lineno, args)


class _RefusedSection(NullSection):  # type: ignore[misc]
    def __init__(self, handler: BaseHandler, *, reader: KickstartReader, **kwargs: Any) -> None:
        super().__init__(handler, **kwargs)
        self._reader = reader

    def handleHeader(self, lineno: int, args: list[str]) -> None:
        super().handleHeader(lineno, args)
        self._reader.open_section(args)


def _why(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    return error.strerror or str(error)


def read(path: Path, *, ks_version: str | None = None) -> KickstartReader:
    """Read a kickstart whole.

    Raises InputError with every complaint, each with its file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't read the kickstart: {_why(error)}") from error
    line = _VERSION_LINE.search(text)
    wanted = ks_version or (line.group(1) if line else None)
    try:
        version = stringToVersion(wanted) if wanted else DEVEL
    except KickstartError as error:
        said_at = text.count("\n", 0, line.start()) + 1 if line else 0
        where = "--ks-version" if ks_version else f"{path}:{said_at}"
        raise InputError(
            f"{where}: {wanted} is no version of the kickstart syntax",
            mend="name one that pykickstart knows, as F16, F41 or RHEL9",
        ) from error
    reader = KickstartReader(makeVersion(version))
    try:
        reader.read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't read an included file: {_why(error)}") from error
    refuse(reader.complaints)
    return reader


def refuse(complaints: Sequence[Complaint]) -> None:
    """Raise one InputError that lists the complaints, when there are any."""
    if complaints:
        words = "\n".join(str(complaint) for complaint in sorted(set(complaints)))
        raise InputError("the kickstart can't be built", details=words)
