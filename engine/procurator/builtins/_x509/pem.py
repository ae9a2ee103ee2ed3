"""PEM blocks, found as Go finds them: text around them is passed over, a broken block too."""

import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_BEGIN: Final = re.compile(rb"(?:\A|(?<=\n))-----BEGIN ([^\n]*?)-----[ \t]*\r?\n")
_HEADERS: Final = re.compile(rb"(?:[^\n:]+:[^\n]*\n)*")
_AFTER: Final = re.compile(rb"[ \t]*(?:\r?\n|\Z)")
_END: Final = b"\n-----END "
# Each broken block costs a look through the rest of the text.
_MAX_BROKEN: Final = 1000


class Block(NamedTuple):
    """A block and what follows it."""

    kind: str
    content: bytes
    rest: bytes


def first(text: bytes) -> Block | None:
    """The first good block of a text."""
    begin = _BEGIN.search(text)
    for _ in range(_MAX_BROKEN):
        end = text.find(_END, begin.end() - 1) if begin else -1
        if begin is None or end < 0:
            return None
        block = _block(text, begin, end)
        if block:
            return block
        begin = _BEGIN.search(text, begin.end() - 1)
    return None


def blocks(text: bytes) -> Iterator[Block]:
    """Every good block of a text."""
    while block := first(text):
        yield block
        text = block.rest


def _block(text: bytes, begin: re.Match[bytes], end: int) -> Block | None:
    """The block between two places, or None if it is broken."""
    closing = _END + begin[1] + b"-----"
    after = _AFTER.match(text, end + len(closing))
    if not text.startswith(closing, end) or after is None:
        return None
    body = text[begin.end() : end + 1]
    headers = _HEADERS.match(body)
    try:
        content = binascii.a2b_base64(b"".join(body[headers.end() if headers else 0 :].split()), strict_mode=True)
    except binascii.Error:
        return None
    return Block(begin[1].decode("utf-8", "replace"), content, text[after.end() :])
