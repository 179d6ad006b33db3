"""What the server's refusals mean and what an operator must do: one place for all of the protocol's words."""

from __future__ import annotations

from node.model.registration import Report, Standing
from node.plugins.registration.wire import ProblemError

_GIVE_ONE = (
    "Make one on the server (node-server token create) and give it by "
    "nodectl config set registration.token=@FILE"
)
_REFUSALS: dict[str, tuple[str, str]] = {
    "token-missing": (
        "the server doesn't know this node and wants a token, which it has none of",
        _GIVE_ONE,
    ),
    "token-unknown": ("the server doesn't know the token", _GIVE_ONE),
    "token-expired": ("the token's time is over", _GIVE_ONE),
    "token-used-up": ("the token was used as often as it may", _GIVE_ONE),
    "token-wrong-machine": ("the token is for another machine", _GIVE_ONE),
    "token-wrong-pool": ("the token is for another pool", f"Correct registration.pool. {_GIVE_ONE}"),
    "retired": (
        "the server has retired this node",
        "If it is to come back, it needs another key and a token: make one on the server (node-server token "
        "create), nodectl config set registration.token=@FILE, then nodectl register --new-key",
    ),
    "machine-known": (
        "the server knows this machine by another key",
        "If it was installed again, agree on the server: node-server nodes rebind. Else somebody poses as it",
    ),
    "identity-too-weak": (
        "the server can't tell this machine from others: it has no UUID, serial number or card that counts",
        "Set a UUID or serial number in the machine's firmware",
    ),
    "bad-identity": ("the server can't read who this machine is", "Report it: nodectl inventory --json"),
    "bad-csr": ("the server refuses the node's request for a certificate", "Report it"),
    "certificate-needed": (
        "the server saw no certificate",
        "Does a proxy stand between?",
    ),
    "certificate-refused": ("the server refuses the node's certificate", "It asks for another one"),
    "not-this-node": ("the server takes this node for another one", "Report it: nodectl register --json"),
}
# What may be over soon without anybody's doing.
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


def report_of(problem: ProblemError) -> Report:
    """Give the report of a refusal; of a server that is busy it is one of waiting."""
    if problem.status in _BUSY:
        words = "the server asks for patience" if problem.status in (429, 503) else "the server has a fault"
        return Report(
            Standing.WAITING, f"{words} ({problem.status})", "Nothing; it tries again", problem.retry_after_s
        )
    what, mend = _REFUSALS.get(problem.code, ("", ""))
    if not what:
        said = f": {problem.words}" if problem.words else ""
        what = f"the server refuses ({problem.status} {problem.code or 'without a reason'}){said}"
    return Report(
        Standing.REFUSED, what, mend or "Look at the server: node-server events", problem.retry_after_s
    )
