"""`crypto.md5`, `crypto.sha*`, `crypto.hmac.*`."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins.crypto import TABLE

NOT_A_STRING = Error("operand 1 must be string but got number")
LATER_NOT_A_STRING = Error("operand 2 must be string but got number")

CASES = [
    ("md5", ("",), "d41d8cd98f00b204e9800998ecf8427e"),
    ("sha1", ("é",), "bf15be717ac1b080b4f1c456692825891ff5073d"),
    ("sha256", ("é",), "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"),
    ("md5", ("\udcff",), "00594fd4f42ba43fc1ca0427a0576295"),  # the byte FF, as base64.decode gives it
    ("hmac.md5", ("text", "key"), "d0ca6177c61c975fd2f8c07d8c6528c6"),
    ("hmac.sha1", ("text", ""), "f3f276f5001644013dbd202f1854bd61f9123d0f"),
    ("hmac.equal", ("é", "é"), True),
    ("hmac.equal", ("a", "b"), False),
    ("hmac.equal", ("a", "aa"), False),
    ("md5", (1,), NOT_A_STRING),
    ("hmac.sha256", (1, "key"), NOT_A_STRING),
    ("hmac.sha512", ("text", 1), LATER_NOT_A_STRING),
    ("hmac.equal", (1, "a"), NOT_A_STRING),
    ("hmac.equal", ("a", 1), LATER_NOT_A_STRING),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_calls(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    check(outcome(TABLE, f"crypto.{name}", *operands), wanted)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(max_size=200, alphabet="ab\x00é"))
def test_a_string_is_its_utf8_bytes(message: str, key: str) -> None:
    for name in ("md5", "sha1", "sha256"):
        assert TABLE[f"crypto.{name}"](message) == hashlib.new(name, message.encode()).hexdigest()
    for name in ("md5", "sha1", "sha256", "sha512"):
        wanted = hmac.new(key.encode(), message.encode(), name).hexdigest()
        assert TABLE[f"crypto.hmac.{name}"](message, key) == wanted
