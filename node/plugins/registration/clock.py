"""A clock that is off by years: noticed by certificates, set by a time server or by the server itself."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

from node.errors import NodeError, TryAgainError
from node.model.system import Commands
from node.plugins.registration.certificate import now
from node.plugins.registration.trust import trusting
from node.plugins.registration.wire import CertificateError, Connection, ProblemError
from node.system.clock import ask_for_time, is_synchronized, set_clock

# X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h: chain and name are checked, dates are not.
_NO_CHECK_TIME = 0x200000
# Less is no reason to set a clock.
_LEAST = timedelta(minutes=5)


def mend_clock(server: str, ca: str, commands: Commands, error: CertificateError) -> str:
    """Set the clock, since a certificate doesn't count at the time that it shows; give how, in words.

    A time server comes first. Without one the server's own time is taken, over a connection whose chain ends
    at the CA that was pinned, and only to set the clock forward: back, an old certificate that somebody stole
    would count again. TryAgainError where the clock stays as it is, in words that say so.
    """
    shown = now()
    if is_synchronized() or ask_for_time(commands):
        if abs(now() - shown) < _LEAST:
            raise TryAgainError(
                error.brief, mend="The clock is set by a time server, so the server must mend it"
            )
        return f"the clock was {_off(shown, now())} and was set by a time server"
    told = _servers_time(server, ca)
    if told - shown < _LEAST:
        raise TryAgainError(
            f"this node's clock shows {_day(shown)}, and no time server answers: {error.brief}",
            mend="Set the clock (timedatectl set-time), or give network.ntp a time server that answers",
        )
    try:
        set_clock(told)
    except OSError as failure:
        raise TryAgainError(
            f"this node's clock shows {_day(shown)} and can't be set: {failure.strerror or failure}",
            mend="Set the clock: timedatectl set-time",
        ) from None
    return f"the clock was {_off(shown, told)} and was set to the server's time"


def _servers_time(server: str, ca: str) -> datetime:
    context = trusting(ca)
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    with Connection(server, context) as connection:
        try:
            told = datetime.fromisoformat(str(connection.ask("GET", "/v1/health").data().get("time")))
        except (ValueError, ProblemError):
            raise NodeError("the server doesn't tell its time", mend="Is it a node-server?") from None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _off(before: datetime, after: datetime) -> str:
    days = (after - before).days
    size = f"{abs(days) // 365} years" if abs(days) >= 730 else f"{abs(days)} days"
    return f"{size} {'slow' if days >= 0 else 'fast'}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
