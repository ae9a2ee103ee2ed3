"""Base64url without padding, in its one spelling for each sequence of bytes."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from typing import Final

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_PADDING: Final = (b"", b"", b"==", b"=")


def encode(data: bytes) -> str:
    """The text of bytes."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a text.

    Raises:
        ValueError: the text is not what `encode` gives for any bytes.
    """
    spelt = text.encode("ascii")
    data = a2b_base64(spelt.translate(_FROM_URL) + _PADDING[len(spelt) % 4])
    # Python passes over characters that do not belong there, and over bits that are left at the end.
    if b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=") != spelt:
        raise ValueError("not base64url")
    return data
