"""PEM blocks, found as Go finds them: text around them is passed over, a broken block too."""

import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_BLOCK: Final = re.compile(
    rb"(?:\A|(?<=\n))-----BEGIN (?P<kind>[^\n]*?)-----[ \t]*\r?\n"
    rb"(?P<headers>(?:[^\n:-]+:[^\n]*\n)*)(?P<body>.*?)"
    rb"(?:(?<=\n)|\A)-----END (?P=kind)-----[ \t]*(?:\r?\n|\Z)",
    re.DOTALL,
)


class Block(NamedTuple):
    """A block and what follows it."""

    kind: str
    content: bytes
    rest: bytes


def first(text: bytes) -> Block | None:
    """The first good block of a text."""
    start = 0
    while match := _BLOCK.search(text, start):
        body = b"".join(match["body"].split())
        try:
            content = binascii.a2b_base64(body, strict_mode=True)
        except binascii.Error:
            start = match.start() + 1
            continue
        return Block(match["kind"].decode("utf-8", "replace"), content, text[match.end() :])
    return None


def blocks(text: bytes) -> Iterator[Block]:
    """Every good block of a text."""
    while block := first(text):
        yield block
        text = block.rest
