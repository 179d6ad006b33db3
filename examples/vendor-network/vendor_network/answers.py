"""What can be asked of the cards."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from node.model.answers import SectionModel


class VendorNetworkAnswers(SectionModel):
    """The section `vendor_network`; it outlives the installation."""

    key: ClassVar[str] = "vendor_network"
    persists: ClassVar[bool] = True

    names: dict[str, str] = Field(
        default_factory=dict, description="Names of cards: permanent MAC address -> name, such as `port0`."
    )
    virtual_functions: dict[str, int] = Field(
        default_factory=dict, description="SR-IOV: permanent MAC address of a card -> number of functions."
    )
