"""The section `kernel` of the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from node.model.answers import SectionModel
from node.model.refusal import refuse
from node.model.words import Words
from node.plugins.kernel.sysctl import SysctlError, flat, nested

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,55}")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
# modprobe.d(5) has no way to write these within a quoted value.
_UNWRITABLE = re.compile(r"[\"'\\\n\0]")
# The root itself stands on these.
_NEEDED = frozenset({"overlay", "squashfs", "ext4", "vfat"})


class KernelAnswers(SectionModel):
    """What the kernel loads and how it behaves."""

    key: ClassVar[str] = "kernel"
    persists: ClassVar[bool] = True

    modules: Words = Field(
        default=(), description="Modules to load at boot, beside those that the hardware asks for."
    )
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Options by module and parameter, such as `kvm_intel: {nested: 1}`. They count when the "
        "module is loaded; a driver of disks or network cards is loaded in the initrd already and takes "
        "`MODULE.PARAMETER=VALUE` in `boot.append`.",
    )
    blacklist: Words = Field(
        default=(), description="Modules that are not loaded by themselves for hardware that asks for them."
    )
    sysctl: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings such as `vm.swappiness: 10`. One that the kernel lacks is an alarm of the "
        "node, no failure. One that is taken out again is in force until the next boot.",
    )

    @field_validator("modules", "blacklist")
    @classmethod
    def _check_modules(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _NAME.fullmatch(name):
                raise _no_module(name)
        return names

    @field_validator("blacklist")
    @classmethod
    def _check_blacklist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name in _NEEDED:
                raise refuse("module-needed", f"the node's own root needs {name}", "Leave it out")
        return names

    @field_validator("options", mode="before")
    @classmethod
    def _read_options(cls, options: Any) -> Any:
        if not isinstance(options, Mapping):
            return {} if options is None else options
        return {str(module): _parameters(str(module), given) for module, given in options.items()}

    @field_validator("sysctl", mode="before")
    @classmethod
    def _read_sysctl(cls, settings: Any) -> Any:
        if not isinstance(settings, Mapping):
            return {} if settings is None else settings
        try:
            read = nested(settings)
            flat(read)
        except SysctlError as error:
            raise refuse("sysctl-invalid", error.what, error.mend) from None
        return read

    @model_validator(mode="after")
    def _check_contradiction(self) -> Self:
        blacklist = {_normal(name) for name in self.blacklist}
        for name in self.modules:
            if _normal(name) in blacklist:
                raise refuse(
                    "module-contradiction", f"{name} is to be loaded and is in `blacklist`", "Take one out"
                )
        return self


def _parameters(module: str, given: Any) -> dict[str, Any]:
    """Read a module's options: a mapping, or the text of modprobe.d(5) without quotes."""
    if not _NAME.fullmatch(module):
        raise _no_module(module)
    if isinstance(given, str):
        pairs = [word.partition("=") for word in given.split()]
        given = {name: value if sign else True for name, sign, value in pairs}
    if not isinstance(given, Mapping) or not given:
        raise refuse(
            "module-options-invalid", f"{module} has no parameters", f"Write `{module}: {{parameter: value}}`"
        )
    for name, value in given.items():
        if not _PARAMETER.fullmatch(str(name)):
            raise refuse(
                "module-options-invalid", f"'{name}' is no parameter of {module}", "Write its name alone"
            )
        if not isinstance(value, bool | int | str) or _UNWRITABLE.search(str(value)):
            raise refuse(
                "module-options-invalid",
                f"the value of {module}'s {name} is not a number, a yes or no, or one line without quotes",
                "Write it as `modinfo` describes it",
            )
    return {str(name): value for name, value in given.items()}


def _no_module(name: str) -> PydanticCustomError:
    return refuse("module-invalid", f"'{name}' is not the name of a module", "Write it as `lsmod` does")


def _normal(name: str) -> str:
    # The kernel takes both for the same.
    return name.replace("-", "_")
