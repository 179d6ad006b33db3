"""The section `storage`: which disk, how it is divided, and what may be lost."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from node.model.answers import SectionModel
from node.model.layout import Role
from node.model.refusal import refuse
from node.model.size import ByteSize, parse_size

REST = -1
"""A size that takes what the others leave; written `rest`, or -1 as the old nodes had it."""


class Prefer(StrEnum):
    """Which disk to take where several fit, on purpose."""

    SMALLEST = "smallest"
    LARGEST = "largest"


def _size_or_rest(value: Any) -> int:
    if value in ("rest", REST, str(REST)):
        return REST
    size = parse_size(value) if isinstance(value, str | int) else REST - 1
    if size < 0:
        raise refuse("size", "this is not a size", "Write a number with a unit, such as 4GiB, or `rest`")
    return size


Share = Annotated[
    int,
    BeforeValidator(_size_or_rest, json_schema_input_type=int | str),
    PlainSerializer(lambda size: "rest" if size == REST else size, return_type=int | str),
]


class DiskRule(BaseModel):
    """A disk by what it is; every key that is set must match. Patterns are those of a shell (`*`, `?`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    serial: str = Field(default="", description="The serial number, whole; case doesn't matter.")
    wwn: str = Field(default="", description="The World Wide Name, with or without `0x`.")
    by_id: str = Field(default="", description="A name below /dev/disk/by-id, or a pattern of one.")
    by_path: str = Field(default="", description="A name below /dev/disk/by-path, or a pattern of one.")
    model: str = Field(default="", description="A part of the model's name; case doesn't matter.")
    min_size: ByteSize | None = Field(default=None, description="Not smaller than this.")
    max_size: ByteSize | None = Field(default=None, description="Not larger than this.")
    transport: str = Field(default="", description="virtio, sata, sas, nvme, usb, scsi, mmc ...")
    rotational: bool | None = Field(default=None, description="true: spins; false: a solid-state disk.")
    node: str = Field(default="", description="Such as /dev/sda. It names a disk, but is no consent.")
    prefer: Prefer | None = Field(default=None, description="Settles it where several disks fit.")

    @property
    def names_a_disk(self) -> bool:
        """Whether the rule, without patterns, speaks of one very disk: then even a removable one is meant."""
        links = [link for link in (self.by_id, self.by_path) if not set(link) & set("*?[")]
        return bool(self.serial or self.wwn or self.node or any(links))

    @property
    def is_set(self) -> bool:
        """Whether anything but `prefer` is asked for."""
        return self.model_copy(update={"prefer": None}) != DiskRule()

    @model_validator(mode="after")
    def _range(self) -> DiskRule:
        if self.min_size is not None and self.max_size is not None and self.min_size > self.max_size:
            raise refuse("size-range", "min_size is above max_size: no disk can fit", "Swap the two")
        return self


class Sizes(BaseModel):
    """Sizes by role; what isn't given is worked out from the disk, the image and the memory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boot: Share | None = Field(default=None, description="Kernels and initrds.")
    root: Share | None = Field(default=None, description="Each of the two root slots.")
    swap: Share | None = Field(default=None, description="0 for none.")
    config: Share | None = Field(default=None, description="The node's configuration.")
    logging: Share | None = Field(default=None, description="/var/log")
    data: Share | None = Field(default=None, description="/data")

    def of(self, role: Role) -> int | None:
        """Give what is asked for a role, None where nothing is."""
        key = {Role.ROOT_A: "root", Role.ROOT_B: "root"}.get(role, role.value.lower())
        return cast("int | None", getattr(self, key, None))

    @model_validator(mode="after")
    def _one_rest(self) -> Sizes:
        greedy = [key for key, value in self if value == REST]
        if len(greedy) > 1 or greedy == ["root"]:
            raise refuse(
                "size-rest",
                f"only one partition can take the rest of the disk, not {' and '.join(greedy)}"
                if len(greedy) > 1
                else "the two root slots can't both take the rest of the disk",
                "Give sizes to the others",
            )
        return self


class StorageAnswers(SectionModel):
    """Where the node is installed."""

    key: ClassVar[str] = "storage"

    disk: DiskRule = Field(default=DiskRule(), description="Which disk; not needed where there is only one.")
    consent: tuple[str, ...] = Field(
        default=(),
        description="Serial, WWN or by-id of each disk whose contents may be lost; never a kernel name.",
    )
    keep: bool = Field(default=False, description="Keep CONFIG, LOGGING and DATA of the disk as they are.")
    sizes: Sizes = Field(default=Sizes(), description="Sizes by role; `rest` takes what is left.")
    roles: tuple[Role, ...] = Field(
        default=tuple(Role), min_length=1, description="The partitions to make; all by default."
    )
    data_filesystem: Literal["ext4", "xfs"] = Field(
        default="ext4", description="What DATA is formatted with."
    )
