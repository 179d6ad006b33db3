"""What the server refuses: one exception with a status and a stable word for programs."""

from __future__ import annotations


class RefusalError(Exception):
    """A request that is not granted. `code` is one of the protocol's words; `detail` tells a human.

    `node_id` is the node that asked, where its key was proved and it is worth an event. `detail` never
    repeats a secret, and nothing of the request that was not checked.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after_s: int | None = None,
        node_id: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.node_id = node_id
