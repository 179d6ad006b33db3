"""The CA that the nodes of a database know: remembered there, so that no other takes its place unseen."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.errors import InputError
from server import clock, events
from server.models import KnownCa, Node

# The one row's.
_ID = 1
_MEND = (
    "restore DATA/ca from the backup, name the right --data, or say --new-ca "
    "(every node must then be told the new fingerprint)"
)


def require_no_ca_known(session: Session) -> None:
    """Raise InputError where a CA that isn't here is known to this database, or to nodes of it."""
    known = session.get(KnownCa, _ID)
    if known is not None:
        raise InputError(
            "this database's nodes know a CA that is not here",
            details=f"its fingerprint is {known.fingerprint}",
            mend=_MEND,
        )
    # Nothing remembered it before version 0002 of the tables.
    if session.scalar(select(Node.id).limit(1)) is not None:
        raise InputError("this database has nodes, and the CA that they know is not here", mend=_MEND)


def require_known(session: Session, fingerprint: str) -> None:
    """Raise InputError where the database knows another CA than this."""
    known = session.get(KnownCa, _ID)
    if known is not None and known.fingerprint != fingerprint:
        raise InputError(
            "this database's nodes know another CA than the one that is here",
            details=f"they know    {known.fingerprint}\nthis one is  {fingerprint}",
            mend=_MEND,
        )


def remember(session: Session, fingerprint: str, *, new: bool) -> None:
    """Write down which CA it is, the first time; another one later on only where it is to be `new`.

    InputError where it is another one. A new one ends what the old one issued: nodes ask again.
    """
    if not new:
        require_known(session, fingerprint)
    known = session.get(KnownCa, _ID, with_for_update=True)
    if known is not None and known.fingerprint == fingerprint:
        return
    has_nodes = session.scalar(select(Node.id).limit(1)) is not None
    if known is not None or (new and has_nodes):
        old = known.fingerprint if known else "one that was not written down"
        events.record(session, "new-ca", f"{fingerprint}, in place of {old}", who=events.SERVER)
        session.execute(update(Node).values(certificate=None, certificate_until=None))
    if known is None:
        known = KnownCa(id=_ID)
        session.add(known)
    known.fingerprint = fingerprint
    known.since = clock.now()
