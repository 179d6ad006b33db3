"""The section `access` of the answers. Its errors never repeat what was given for a secret."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from node.model.answers import SectionModel
from node.model.refusal import refuse
from node.model.words import Lines
from node.plugins.access import hashes, ssh_keys
from node.plugins.access.aging import is_day

# useradd(8) of Debian, and 32 bytes as utmp holds.
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
# base-passwd's and the image's own accounts and groups: a user of this name would take one over.
_TAKEN = frozenset(
    """
    root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody nogroup adm
    tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl
    plugdev staff users input render kvm sgx crontab netdev messagebus sshd polkitd tcpdump tss dnsmasq
    libvirt libvirt-qemu libvirt-dnsmasq uuidd statd _apt _ssh
    """.split()  # noqa: SIM905 - sixty names read best as words
)


def _check_hash(text: str) -> str:
    if text and (fault := hashes.fault_of(text)):
        mend = "Leave it out to lock the password" if fault.code == "locked-password-hash" else hashes.MEND
        raise refuse(fault.code, fault.what, mend)
    return text


def _check_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    for number, key in enumerate(keys, start=1):
        if fault := ssh_keys.fault_of(key):
            which = f"key {number} of {len(keys)}: " if len(keys) > 1 else ""
            raise refuse(
                "ssh-key-invalid", which + fault, "Give the line of a .pub file that ssh-keygen made"
            )
    return tuple(key.strip() for key in keys)


def _check_day(text: str) -> str:
    if text and not is_day(text):
        raise refuse("day-invalid", f"'{text}' is not a day", "Write a day such as 2027-06-30")
    return text


PasswordHash = Annotated[str, AfterValidator(_check_hash)]
SshKeys = Annotated[Lines, AfterValidator(_check_keys)]
Day = Annotated[str, AfterValidator(_check_day)]


class Account(BaseModel):
    """What lets somebody into an account; with neither the account stays closed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    password_hash: PasswordHash = Field(
        default="",
        description="Hash of the password ($y$, $gy$, $7$ or $6$). Empty: no password lets in.",
        repr=False,
    )
    ssh_keys: SshKeys = Field(default=(), description="Public SSH keys, one line each, options allowed.")
    locked: bool = Field(
        default=False, description="Lets nobody in, whatever its password and its keys are; both are kept."
    )
    password_max_days: int = Field(
        default=0,
        ge=0,
        le=99998,
        description="Days after which the password must be changed; 0: never. Counted from "
        "`password_changed`.",
    )
    password_changed: Day = Field(
        default="",
        description="The day of the password's last change (UTC), which `nodectl password` notes. Empty: "
        "the day of the installation.",
    )

    @property
    def is_set(self) -> bool:
        """Whether it has a password or a key."""
        return bool(self.password_hash or self.ssh_keys)

    @property
    def is_open(self) -> bool:
        """Whether anybody can log in to it."""
        return self.is_set and not self.locked


class Admin(Account):
    """The user for daily work."""

    name: str = Field(default="admin", description="Name of the admin user.")
    sudo: bool = Field(
        default=True, description="May become root: with the password, without one where none is set."
    )
    expires: Day = Field(
        default="", description="From this day on the account lets nobody in, such as 2027-06-30 (UTC)."
    )

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise refuse(
                "user-name-invalid",
                f"'{name}' is not a user's name",
                "Begin with a small letter; go on with small letters, digits, _ and -, 32 in all at most",
            )
        if name in _TAKEN or name.startswith("systemd-"):
            raise refuse("user-name-taken", f"'{name}' is an account of the system", "Choose another name")
        return name


class AccessAnswers(SectionModel):
    """Who may log in."""

    model_config = ConfigDict(**{**SectionModel.model_config, "hide_input_in_errors": True})

    key: ClassVar[str] = "access"
    persists: ClassVar[bool] = True
    secret: ClassVar[frozenset[str]] = frozenset({"admin.password_hash", "root.password_hash"})

    admin: Admin = Field(
        default=Admin(), description="The admin user; made once a password or a key is given."
    )
    root: Account = Field(default=Account(), description="root; locked unless a password or a key is given.")
    ssh_password_login: bool = Field(
        default=False,
        description="Lets the admin user in over SSH by password. root needs a key in any case.",
    )
    no_login: bool = Field(
        default=False, description="Install unattended although nobody could log in afterwards."
    )
    console_reading: bool = Field(
        default=True,
        description="Shows the node's status and log on its own consoles to whoever stands there; to change "
        "anything needs a log-in in any case.",
    )
