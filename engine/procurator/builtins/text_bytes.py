"""Strings as the bytes they are in Go: decoded bytes that are no UTF-8 travel through a string unharmed.

Such a byte stands in the string as a lone surrogate (Python's `surrogateescape`); shown as JSON it is U+FFFD. Any other
lone surrogate is a character that cannot be, and counts as U+FFFD.
"""

from __future__ import annotations

import re
from typing import Final

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NO_BYTE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def to_bytes(text: str) -> bytes:
    """The bytes a string stands for."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _NO_BYTE.sub("\N{REPLACEMENT CHARACTER}", text).encode("utf-8", "surrogateescape")


def to_text(content: bytes) -> str:
    """The string of these bytes; `to_bytes` gives them back."""
    return content.decode("utf-8", "surrogateescape")


def printable(text: str, stand_in: str = "\N{REPLACEMENT CHARACTER}") -> str:
    """The string with a stand-in for each byte that is no UTF-8."""
    return text if text.isascii() else _SURROGATE.sub(stand_in, text)
