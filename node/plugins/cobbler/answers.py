"""The section `cobbler` of the answers. Its errors never repeat the password."""

from __future__ import annotations

import re
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator

from node.model.answers import SectionModel
from node.model.fingerprint import fingerprint
from node.model.host_name import host_fault
from node.model.refusal import refuse

# cobbler's own rule for names (cobbler/items/item.py, RE_OBJECT_NAME).
_NAME = re.compile(r"[a-zA-Z0-9_\-.:]*")


class CobblerAnswers(SectionModel):
    """The cobbler that this machine was booted by, and what it shall be told."""

    model_config = ConfigDict(**{**SectionModel.model_config, "hide_input_in_errors": True})

    key: ClassVar[str] = "cobbler"
    persists: ClassVar[bool] = True
    secret: ClassVar[frozenset[str]] = frozenset({"password"})

    server: str = Field(
        default="",
        description="The cobbler server, such as https://cobbler.example.org. Empty: none is told anything.",
    )
    fingerprint: str = Field(
        default="",
        description="For https: SHA-256 fingerprint of a certificate in the server's chain, such as its CA.",
    )
    trust: Literal["", "network"] = Field(
        default="",
        description="`network` speaks plain http to it, on purpose: whoever owns the wire reads and answers.",
    )
    system: str = Field(
        default="",
        description="The name of a system that is made there. Empty: the host name, without its domain.",
    )
    netboot_off: bool = Field(
        default=True,
        description="Has cobbler start this machine from its disk, once it is installed and runs from there.",
    )
    register_system: bool = Field(
        default=False,
        description="Makes a system of it in cobbler, or adds its cards to the one there.",
    )
    profile: str = Field(default="", description="The profile of a system that is made.")
    user: str = Field(default="", description="cobbler's user for that.")
    password: str = Field(
        default="",
        description="That user's password. It leaves the configuration once it is used.",
        repr=False,
    )

    @field_validator("server")
    @classmethod
    def _check_server(cls, text: str) -> str:
        if text and (fault := _fault(text)):
            raise refuse("server-invalid", fault, "Write one such as https://cobbler.example.org")
        return text.rstrip("/")

    @field_validator("fingerprint")
    @classmethod
    def _check_fingerprint(cls, text: str) -> str:
        if text and not fingerprint(text):
            raise refuse(
                "fingerprint-invalid",
                "this is no SHA-256 fingerprint",
                "Give the 64 hexadecimal digits of openssl x509 -fingerprint -sha256",
            )
        return fingerprint(text)

    @field_validator("system", "profile")
    @classmethod
    def _check_name(cls, text: str) -> str:
        if not _NAME.fullmatch(text):
            raise refuse("name-invalid", f"'{text}' is no name in cobbler", "Use letters, digits and . _ - :")
        return text


def _fault(text: str) -> str:
    """Say what keeps a text from being cobbler's address, "" where nothing does."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "this is not an address"
    if parts.scheme not in ("http", "https"):
        return "this is not an address that begins with https:// or http://"
    if "@" in parts.netloc:
        return "name and password have keys of their own"
    if port == 0 or parts.path.strip("/") or parts.query or parts.fragment:
        return "this is more than a host and a port"
    return host_fault(host) if host else "it names no host"
