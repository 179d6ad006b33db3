"""A tagged VLAN of the test's switch as a card of the host, without the kernel's 8021q, which not all have.

`python -m node.testing.vm.vlan TRUNK CARD ID` carries frames between two taps: those with tag ID on the trunk
stand without it on the card (IEEE 802.1Q, 9.3).
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys

_TPID = b"\x81\x00"
_ADDRESSES = 12  # bytes of both MAC addresses, which the tag follows
_FRAME_LIMIT = 65536 + 18
# linux/if_tun.h
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000


def tagged(frame: bytes, vlan: int) -> bytes:
    """Give an untagged frame with a tag, priority 0."""
    return frame[:_ADDRESSES] + _TPID + vlan.to_bytes(2, "big") + frame[_ADDRESSES:]


def untagged(frame: bytes, vlan: int) -> bytes | None:
    """Give a frame of this VLAN without its tag; None for any other."""
    tag = frame[_ADDRESSES : _ADDRESSES + 4]
    if len(tag) < 4 or tag[:2] != _TPID or int.from_bytes(tag[2:], "big") & 0xFFF != vlan:
        return None
    return frame[:_ADDRESSES] + frame[_ADDRESSES + 4 :]


def _open_tap(name: str) -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return descriptor


def main() -> None:
    """Carry frames until the process is ended; says `carrying` when it has begun."""
    trunk, card = (_open_tap(name) for name in sys.argv[1:3])
    vlan = int(sys.argv[3])
    print("carrying", flush=True)
    while True:
        for ready in select.select([trunk, card], [], [])[0]:
            frame = os.read(ready, _FRAME_LIMIT)
            if ready == card:
                os.write(trunk, tagged(frame, vlan))
            elif (plain := untagged(frame, vlan)) is not None:
                os.write(card, plain)


if __name__ == "__main__":
    main()
