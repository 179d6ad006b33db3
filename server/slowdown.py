"""What was refused, counted by address: a few are answered, then it has to wait; and what to tell of it.

A right secret is never held up by a neighbour's wrong ones: 256 random bits are not found by trying, so what
is saved here is work and room in the log, not the secret.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

_WINDOW_S = 60
# So many addresses are remembered; whoever has more than these can't be held up by address anyway.
_ADDRESSES = 10_000
_SELDOM_S = 3600
# Of all together, for those who have many addresses.
_TOLD_A_MINUTE = 60


class Slowdown:
    """Counts what went wrong in the last minute."""

    def __init__(self, allowed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, address: str) -> int:
        """Count a wrong one; gives 0 while some are left, else after how many seconds to try again."""
        source = source_of(address)
        with self._lock:
            now = self._clock()
            since, wrong = self._wrong.pop(source, (now, 0))
            if now - since >= _WINDOW_S:
                since, wrong = now, 0
            self._wrong[source] = since, wrong + 1
            while len(self._wrong) > _ADDRESSES:
                self._wrong.popitem(last=False)
        return 0 if wrong < self._allowed else max(1, round(since + _WINDOW_S - now))


class Seldom:
    """Says which of many like things to tell: one an hour of each kind, and so many a minute of all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: OrderedDict[str, float] = OrderedDict()
        self._since, self._all = clock(), 0
        self._lock = threading.Lock()

    def is_time(self, what: str) -> bool:
        """Tell whether to tell it now; then it is taken for told."""
        with self._lock:
            now = self._clock()
            if now - self._told.get(what, -_SELDOM_S) < _SELDOM_S:
                return False
            if now - self._since >= _WINDOW_S:
                self._since, self._all = now, 0
            if self._all >= _TOLD_A_MINUTE:
                return False
            self._all += 1
            self._told.pop(what, None)
            self._told[what] = now
            while len(self._told) > _ADDRESSES:
                self._told.popitem(last=False)
            return True


def source_of(address: str) -> str:
    """Give what one machine can't change by itself: of IPv6 that is the network of 64 bits."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(ip_network((ip, 64), strict=False))
    return str(ip)
