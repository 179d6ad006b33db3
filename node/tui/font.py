"""Which signs the font of a virtual terminal has: the kernel's own knows CP437 and no Czech, for instance."""

from __future__ import annotations

import ctypes

# linux/kd.h; the map is at most as long as its counter can say.
_GIO_UNIMAP, _MOST = 0x4B66, 0xFFFF


class _Pair(ctypes.Structure):
    _fields_ = (("sign", ctypes.c_ushort), ("position", ctypes.c_ushort))


class _Map(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("pairs", ctypes.POINTER(_Pair)))


def signs_of(fd: int) -> frozenset[str] | None:
    """Give the signs that a terminal's font has; None where it is none of the kernel's, or doesn't say."""
    pairs = (_Pair * _MOST)()
    wanted = _Map(_MOST, pairs)
    if ctypes.CDLL(None, use_errno=True).ioctl(fd, _GIO_UNIMAP, ctypes.byref(wanted)) != 0:
        return None
    return frozenset(chr(pair.sign) for pair in pairs[: wanted.count])
