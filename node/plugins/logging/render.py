"""rsyslog's configuration: the journal in, every log server out."""

from __future__ import annotations

from node.model.state import RenderedFile
from node.plugins.logging.answers import LoggingAnswers
from node.plugins.logging.target import Target

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"
CONFIGURATION = "/etc/nodecrust/rsyslog.conf"
CA = "/etc/nodecrust/log-ca.pem"
# ca-certificates': the CAs that the image knows.
_SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt"

# nodecrust-syslog.service runs only where the configuration is there, so that this also ends it.
_LIVE = (("systemctl", "restart", "nodecrust-syslog.service"),)

# The place in the journal and what a server missed lie on LOGGING, where the journal itself is. A node that
# begins with this sends its journal as far as it goes back, so that its first boot is told too.
_INPUT = """\
global(workDirectory="/var/log/nodecrust/syslog" processInternalMessages="off"{tls})
module(load="imjournal" StateFile="journal" IgnorePreviousMessages="off" Ratelimit.Interval="0")
"""
_QUEUE = (
    'queue.type="LinkedList" queue.filename="{name}" queue.maxDiskSpace="64m" queue.saveOnShutdown="on" '
    'action.resumeRetryCount="-1" action.resumeInterval="5" action.resumeIntervalMax="60"'
)


def rendered(logging: LoggingAnswers) -> tuple[RenderedFile, ...]:
    """Give rsyslog's configuration and the CA, nothing where no server is named."""
    targets = logging.targets
    if not targets:
        return ()
    files = []
    tls = any(target.protocol == "tls" for target in targets)
    if tls and logging.ca:
        files.append(RenderedFile(CA, logging.ca.strip() + "\n", live=_LIVE))
    authority = f'\n  defaultNetstreamDriverCAFile="{CA if logging.ca else _SYSTEM_CAS}"' if tls else ""
    actions = "".join(
        _action(target, logging.tls_name or target.host, number)
        for number, target in enumerate(targets, start=1)
    )
    text = HEADER + _INPUT.format(tls=authority) + actions
    files.append(RenderedFile(CONFIGURATION, text, live=_LIVE))
    return tuple(files)


def _action(target: Target, name: str, number: int) -> str:
    protocol = "udp" if target.protocol == "udp" else "tcp"
    words = [
        f'action(type="omfwd" name="{target}" target="{target.host}" port="{target.port}"',
        f'protocol="{protocol}" template="RSYSLOG_SyslogProtocol23Format"',
    ]
    if target.protocol == "tls":
        # RFC 5425: a message begins with its length. GnuTLS, since with OpenSSL rsyslog 8.2504 asks a server
        # that it must not talk to again at once and without end, and 8.2302 even sent it the message.
        words.append(
            'TCP_Framing="octet-counted" StreamDriver="gtls" StreamDriverMode="1" '
            f'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="{name}"'
        )
    return "\n  ".join((*words, _QUEUE.format(name=f"server{number}") + ")")) + "\n"
