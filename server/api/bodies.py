"""What comes in and goes out, as the protocol has it. Unknown fields are ignored: a node may be newer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from server.tokens import POOL

# One line of text; PostgreSQL takes no NUL, and no log takes a control character.
_LINE = r"^[^\x00-\x1f\x7f]*$"
_LARGEST = 2**53 - 1


def _line(longest: int) -> Any:
    return StringConstraints(max_length=longest, pattern=_LINE)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=_LARGEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Pem = Annotated[str, StringConstraints(max_length=16384)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_LINE)]
Pool = Annotated[str, StringConstraints(pattern=rf"^{POOL}$")]
Words = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]


class IdentityBody(BaseModel):
    """What a machine says of itself."""

    product_uuid: Annotated[str, _line(64)] | None = None
    vendor: Annotated[str, _line(128)] | None = None
    serial: Annotated[str, _line(128)] | None = None
    macs: Annotated[list[Annotated[str, _line(32)]], Field(max_length=256)] = []


class EnrolBody(BaseModel):
    """A key asks to be a node."""

    protocol: Literal[1]
    csr: Pem
    identity: IdentityBody
    name: Annotated[str, _line(253)] | None = None
    pool: Annotated[
        Pool | None, Field(description="Where the node is to be: a token that leads elsewhere is refused.")
    ] = None


class PendingAnswer(BaseModel):
    """An operator has to approve."""

    node_id: str
    state: Literal["pending"] = "pending"
    retry_after_s: int
    key_fingerprint: str


class EnrolledAnswer(BaseModel):
    """The node is approved."""

    node_id: str
    state: Literal["approved", "active"]
    certificate: str
    not_after: str
    key_fingerprint: str


class RenewBody(BaseModel):
    """The same key or a new one."""

    csr: Pem


class RenewAnswer(BaseModel):
    """A certificate for it."""

    certificate: str
    not_after: str


class FactsBody(BaseModel):
    """All facts, in place of those from before."""

    facts: dict[str, Any]


class HeartbeatBody(BaseModel):
    """A sign of life."""

    boot_id: Word
    uptime_s: Count
    time: Moment
    facts_sha256: Hex | None = None
    config_etag: Annotated[str, _line(80)] | None = None
    state: Annotated[dict[str, Any], Field(max_length=64)] = {}


class HeartbeatAnswer(BaseModel):
    """When to come again, and what has changed."""

    next_s: int
    time: str
    facts_wanted: bool
    config_generation: int | None
    config_etag: str | None
    work: list[dict[str, Any]]


class ConfigAnswer(BaseModel):
    """What is wanted of a node, signed."""

    generation: int
    document: str
    signature: str
    signer: str


class ConfigReportBody(BaseModel):
    """What became of it."""

    generation: Count
    result: Literal["applied", "rolled-back", "refused"]
    words: Words = ""


class ToldBody(BaseModel):
    """One event of a node."""

    seq: Annotated[int, Field(ge=1, le=_LARGEST)]
    at: Moment
    kind: Word
    words: Words = ""


class EventsBody(BaseModel):
    """Events, in their order."""

    events: Annotated[list[ToldBody], Field(max_length=200)]


class EventsAnswer(BaseModel):
    """The highest number that we have."""

    accepted: int


class Health(BaseModel):
    """That we are here."""

    status: Literal["ok"] = "ok"
    time: str
    protocol: Literal[1] = 1
