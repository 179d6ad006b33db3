"""Small sections of their own, so that these tests don't change with the built-in plugins."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from node.model.answers import SectionModel
from node.model.install import InstallAnswers
from node.model.refusal import refuse
from node.model.size import ByteSize


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Rule(Part):
    serial: str = ""
    min_size: ByteSize | None = None
    prefer: Literal["smallest", "largest"] | None = None


class Storage(SectionModel):
    key: ClassVar[str] = "storage"
    disk: Rule = Rule()
    consent: tuple[str, ...] = ()
    keep: bool = Field(default=False, description="Keep what is there.")


def _hash(value: str) -> str:
    if value and not value.startswith("$y$"):
        raise refuse("weak-hash", f"'{value}' is no yescrypt hash", "Make one with mkpasswd -m yescrypt")
    return value


class Admin(Part):
    name: str = "admin"
    password_hash: Annotated[str, AfterValidator(_hash)] = ""
    ssh_keys: list[str] = []


class Access(SectionModel):
    key: ClassVar[str] = "access"
    persists: ClassVar[bool] = True
    secret: ClassVar[frozenset[str]] = frozenset({"admin.password_hash"})
    admin: Admin = Admin()


class Network(SectionModel):
    key: ClassVar[str] = "network"
    hostname: str = ""
    netplan: dict[str, Any] | None = None


MODELS: dict[str, type[SectionModel]] = {
    model.key: model for model in (InstallAnswers, Storage, Access, Network)
}
