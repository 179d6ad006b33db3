"""yescrypt by the build machine's libxcrypt (Python's crypt module is gone in 3.13)."""

from __future__ import annotations

import ctypes
import hashlib
import hmac

from node.errors import NodeError

# crypt.h: sizes of libxcrypt's buffers, part of its ABI.
_GENSALT_SIZE = 192
_DATA_SIZE = 32768

_SALT_BYTES = 16


def deterministic_hash(name: str, password: str) -> str:
    """The yescrypt hash of a password, the same one each time: builds with equal input are equal.

    The salt comes from the password itself and the account's name, so that equal passwords of two
    accounts don't show; it is no secret.
    """
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt_gensalt_rn.restype = ctypes.c_char_p
    library.crypt_r.restype = ctypes.c_char_p
    salt = hmac.digest(password.encode(), b"nodecrust\0" + name.encode(), hashlib.sha256)[:_SALT_BYTES]
    setting = ctypes.create_string_buffer(_GENSALT_SIZE)
    if not library.crypt_gensalt_rn(
        b"$y$", ctypes.c_ulong(0), salt, ctypes.c_int(len(salt)), setting, ctypes.c_int(_GENSALT_SIZE)
    ):
        raise NodeError("this machine's libcrypt has no yescrypt")
    data = ctypes.create_string_buffer(_DATA_SIZE)
    found: bytes | None = library.crypt_r(password.encode(), setting.value, data)
    if not found or found.startswith(b"*"):
        raise NodeError("a password can't be hashed")
    return found.decode()
