"""Makes wheels and Debian packages of invented plugins, good ones and such as nobody should take."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

PLUGIN = """\
from node.hookspecs import StatusLine, hookimpl


@hookimpl
def node_probe(inventory):
    return {"lamps": 3}


@hookimpl
def node_status_panels(inventory):
    return [StatusLine("lamps", "three are lit")]
"""


@dataclass
class Wheel:
    """What a wheel is made of; `lie` replaces digests of RECORD by path, None leaves a line out."""

    name: str = "vendor-lamp"
    version: str = "1.2"
    points: Mapping[str, str] = field(default_factory=lambda: {"lamp": "vendor_lamp"})
    files: Mapping[str, str | bytes] = field(default_factory=lambda: {"vendor_lamp/__init__.py": PLUGIN})
    requires: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    tag: str = "py3-none-any"
    purelib: str = "true"
    file: str = ""
    lie: Mapping[str, str | None] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    recorded: bool = True

    @property
    def underscored(self) -> str:
        return self.name.replace("-", "_")

    @property
    def info(self) -> str:
        return f"{self.underscored}-{self.version}.dist-info"

    @property
    def file_name(self) -> str:
        return self.file or f"{self.underscored}-{self.version}-{self.tag}.whl"

    def metadata(self) -> dict[str, str | bytes]:
        head = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}", *self.headers]
        head += [f"Requires-Dist: {one}" for one in self.requires]
        points = "".join(f"{name} = {value}\n" for name, value in self.points.items())
        text = f"[nodecrust]\n{points}" if points else ""
        if self.scripts:
            text += "[console_scripts]\n" + "".join(f"{one} = vendor_lamp:main\n" for one in self.scripts)
        kind = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {self.purelib}\nTag: {self.tag}\n"
        return {
            f"{self.info}/METADATA": "\n".join(head) + "\n\n",
            f"{self.info}/WHEEL": kind,
            **({f"{self.info}/entry_points.txt": text} if text else {}),
        }

    def write(self, folder: Path) -> Path:
        path = folder / self.file_name
        buffer = io.BytesIO()
        rows = []
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in {**self.files, **self.metadata()}.items():
                data = content.encode() if isinstance(content, str) else content
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                told = self.lie.get(name, f"sha256={digest}")
                if told is not None:
                    rows.append(f"{name},{told},{len(data)}\n")
                archive.writestr(zipfile.ZipInfo(name), data)
            for name, target in self.links.items():
                entry = zipfile.ZipInfo(name)
                entry.external_attr = 0o120777 << 16
                archive.writestr(entry, target)
            if self.recorded:
                rows.append(f"{self.info}/RECORD,,\n")
                archive.writestr(zipfile.ZipInfo(f"{self.info}/RECORD"), "".join(rows))
        path.write_bytes(buffer.getvalue())
        return path


def python_files(wheel: Wheel) -> dict[str, str | bytes]:
    """The files of a wheel where Debian's packages have them."""
    folder = "usr/lib/python3/dist-packages"
    metadata = {k: v for k, v in wheel.metadata().items() if not k.endswith("/WHEEL")}
    return {f"{folder}/{name}": content for name, content in {**wheel.files, **metadata}.items()}


@dataclass
class Deb:
    """What a Debian package is made of, without any tool of Debian's."""

    package: str = "nodecrust-vendor-lamp"
    version: str = "1.2-1"
    depends: str = ""
    architecture: str = "all"
    files: Mapping[str, str | bytes] = field(default_factory=lambda: python_files(Wheel()))
    links: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        control = (
            f"Package: {self.package}\nVersion: {self.version}\nArchitecture: {self.architecture}\n"
            f"Maintainer: Vendor <vendor@example.org>\nDescription: lamps\n"
            + (f"Depends: {self.depends}\n" if self.depends else "")
        )
        members = {
            "debian-binary": b"2.0\n",
            "control.tar.gz": _tar(
                {"control": control, **self.scripts}, {}, dict.fromkeys(self.scripts, 0o755)
            ),
            "data.tar.gz": _tar(self.files, self.links, self.modes),
        }
        path = folder / f"{self.package}_{self.version}_{self.architecture}.deb"
        path.write_bytes(b"!<arch>\n" + b"".join(_ar_member(*one) for one in members.items()))
        return path


def _tar(files: Mapping[str, str | bytes], links: Mapping[str, str], modes: Mapping[str, int]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        # As every real package has them: dpkg makes no folder that is not named.
        for folder in sorted(
            {str(parent) for name in (*files, *links) for parent in PurePosixPath(name).parents}
        ):
            member = tarfile.TarInfo(f"./{folder}" if folder != "." else ".")
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mode = len(data), modes.get(name, 0o644)
            archive.addfile(member, io.BytesIO(data))
        for name, target in links.items():
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return buffer.getvalue()


def _ar_member(name: str, data: bytes) -> bytes:
    # ar(5): name, time, owner, group, mode, size, two bytes of magic; members begin at even places.
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)
