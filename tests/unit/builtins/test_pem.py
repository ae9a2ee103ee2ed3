"""PEM blocks."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procurator.builtins._x509.pem import blocks

GOOD = "-----BEGIN A-----\nAAEC\n-----END A-----\n"
FOUND = ("A", b"\x00\x01\x02")

TEXTS = [
    (GOOD, [FOUND]),
    (f"text\n{GOOD}text{GOOD}\n{GOOD}", [FOUND, FOUND]),
    (GOOD.replace("\n", "\r\n"), [FOUND]),
    (GOOD.replace("AAEC", "A A\nE\tC "), [FOUND]),
    (GOOD.rstrip(), [FOUND]),
    (GOOD.replace("-----\n", "----- \t\n"), [FOUND]),
    ("-----BEGIN A-----\nKey: value\nOther: x\n\nAAEC\n-----END A-----\n", [FOUND]),
    ("-----BEGIN A-----\n-----END A-----\n", [("A", b"")]),
    ("-----BEGIN -----\nAAEC\n-----END -----\n", [("", b"\x00\x01\x02")]),
    (GOOD.replace("END A", "END B"), []),
    (GOOD.replace("END A-----", "END A----- x"), []),
    (GOOD.replace("AAEC", "AA*C"), []),
    (GOOD.replace("AAEC", "AAE"), []),
    ("-----BEGIN A-----\nAAEC\n", []),
    ("-----BEGIN A-----\n" + GOOD, [FOUND]),
    (GOOD.replace("AAEC", "!") + GOOD, [FOUND]),
    ("", []),
]


@pytest.mark.parametrize(("text", "wanted"), TEXTS)
def test_blocks(text: str, wanted: list[tuple[str, bytes]]) -> None:
    assert [(block.kind, block.content) for block in blocks(text.encode())] == wanted


def test_many_broken_blocks_take_no_long_time() -> None:
    text = "".join(f"-----BEGIN {number}-----\n" for number in range(100_000)) + "-----END x-----\n"
    assert list(blocks(text.encode())) == []


@given(st.text(alphabet="ABC ", min_size=1).filter(str.strip), st.binary())
def test_what_is_written_is_read(kind: str, content: bytes) -> None:
    text = f"-----BEGIN {kind}-----\n{b64encode(content).decode()}\n-----END {kind}-----\n"
    assert [(block.kind, block.content) for block in blocks(text.encode())] == [(kind, content)]
