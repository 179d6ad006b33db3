"""Makes and checks password hashes by libxcrypt, since Python 3.13 has no crypt module."""

from __future__ import annotations

import ctypes
import hmac
from functools import cache

from node.errors import InputError, NodeError

# libxcrypt's crypt.h: struct crypt_data is exactly 32768 bytes, a setting has 192 at most.
_DATA_SIZE = 32768
_SETTING_SIZE = 192
# The NUL at its end is counted.
_PASSPHRASE_SIZE = 512
_YESCRYPT = b"$y$"
_DEFAULT_COST = 0


def hash_password(text: str) -> str:
    """Give the yescrypt hash of a password, salted by the kernel's random numbers, at the library's cost.

    InputError where the text is empty, too long to be hashed whole, or no text that can be typed.
    """
    _refuse_unusable(text)
    setting = ctypes.create_string_buffer(_SETTING_SIZE)
    if not _library().crypt_gensalt_rn(_YESCRYPT, _DEFAULT_COST, None, 0, setting, _SETTING_SIZE):
        raise NodeError(
            "The system's libcrypt makes no yescrypt hashes", mend="Install libxcrypt 4.4 or newer"
        )
    return _crypt(text, setting.value).decode("ascii")


def _refuse_unusable(text: str) -> None:
    if not text or "\0" in text:
        raise InputError("a password is not empty and holds no NUL character")
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise InputError("the password is not UTF-8", mend="Give it as text in UTF-8") from None
    if length >= _PASSPHRASE_SIZE:
        raise InputError(f"the password is too long: it takes {_PASSPHRASE_SIZE - 1} bytes at most")


def verify(text: str, hashed: str) -> bool:
    """Tell whether `hashed` is the hash of `text`; False for what is no hash that the library knows."""
    if not text or "\0" in text or not hashed.isascii():
        return False
    try:
        return hmac.compare_digest(_crypt(text, hashed.encode("ascii")), hashed.encode("ascii"))
    except (NodeError, UnicodeEncodeError):
        return False


def _crypt(text: str, setting: bytes) -> bytes:
    data = ctypes.create_string_buffer(_DATA_SIZE)
    result = _library().crypt_r(text.encode(), setting, data)
    # crypt_r tells a failure by a string that begins with `*`, or by no string at all.
    if not result or result.startswith(b"*"):
        raise NodeError("The system's libcrypt does not hash this password")
    return bytes(result)


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libcrypt.so.1")
        library.crypt_r.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
        library.crypt_r.restype = ctypes.c_char_p
        library.crypt_gensalt_rn.argtypes = (
            ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int
        )  # fmt: skip
        library.crypt_gensalt_rn.restype = ctypes.c_char_p
    except (OSError, AttributeError) as error:
        raise NodeError("libxcrypt is not installed", mend="Install libcrypt1", details=str(error)) from error
    return library
