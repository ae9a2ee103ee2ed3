"""Built-ins that encode strings: base64 in both alphabets, hexadecimal, and URL queries."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from string import ascii_letters, digits
from typing import Final
from urllib.parse import quote_plus

from procurator.builtins.go_url import UrlError, parse_query, unescape
from procurator.builtins.operand_problem import OperandProblem
from procurator.builtins.operands import BuiltinError, object_, string
from procurator.builtins.text_bytes import to_bytes, to_text
from procurator.values import Set, Value, dumps, value_of

_PAD: Final = ord("=")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]*")


class _Alphabet:
    """The 64 characters of a kind of base64."""

    def __init__(self, last: bytes) -> None:
        self.bytes: Final = (ascii_letters + digits).encode() + last
        self.whole: Final = re.compile(b"[%s]*" % re.escape(self.bytes))
        self.to_standard: Final = bytes.maketrans(last, b"+/")


_STANDARD: Final = _Alphabet(b"+/")
_URL_SAFE: Final = _Alphabet(b"-_")


def base64_encode(value: Value) -> Value:
    """Base64 with + and /."""
    return base64.b64encode(to_bytes(string(value, 1))).decode()


def base64_decode(value: Value) -> Value:
    """The string that base64 with + and / stands for."""
    return to_text(_decoded(to_bytes(string(value, 1)), _STANDARD))


def base64_is_valid(value: Value) -> Value:
    """Whether the value is a string of base64 with + and /."""
    if not isinstance(value, str):
        return False
    try:
        _decoded(to_bytes(value), _STANDARD)
    except BuiltinError:
        return False
    return True


def base64url_encode(value: Value) -> Value:
    """Base64 with - and _."""
    return base64.urlsafe_b64encode(to_bytes(string(value, 1))).decode()


def base64url_encode_no_pad(value: Value) -> Value:
    """Base64 with - and _, without the = at the end."""
    return base64.urlsafe_b64encode(to_bytes(string(value, 1))).decode().rstrip("=")


def base64url_decode(value: Value) -> Value:
    """The string that base64 with - and _ stands for; the = at the end may be missing."""
    text = to_bytes(string(value, 1))
    if not text.endswith(b"="):
        if len(text) % 4 == 1:
            raise BuiltinError(f"illegal base64url string: {value}")
        text += b"=" * (-len(text) % 4)
    return to_text(_decoded(text, _URL_SAFE))


def _decoded(text: bytes, alphabet: _Alphabet) -> bytes:
    """Decode, or say as Go does at which byte the text goes wrong. Line ends may stand anywhere."""
    compact = text.translate(None, b"\r\n")
    body = compact.rstrip(b"=")
    if len(compact) % 4 == 0 and len(compact) - len(body) < 3 and alphabet.whole.fullmatch(body):
        return binascii.a2b_base64(compact.translate(alphabet.to_standard))
    raise BuiltinError(f"illegal base64 data at input byte {_fault(text, alphabet)}")


def _fault(text: bytes, alphabet: _Alphabet) -> int:
    """Where a decoder that reads groups of four characters finds the first fault."""
    taken = 0
    for index, byte in enumerate(text):
        if byte in b"\r\n":
            continue
        if byte in alphabet.bytes:
            taken += 1
        elif byte != _PAD or taken % 4 < 2:
            return index
        else:
            return _padding_fault(text, index + 1, missing=3 - taken % 4)
    return len(text) - taken % 4


def _padding_fault(text: bytes, index: int, missing: int) -> int:
    index = _after_line_ends(text, index)
    if not missing or index == len(text):
        return index
    return _after_line_ends(text, index + 1) if text[index] == _PAD else index - 1


def _after_line_ends(text: bytes, index: int) -> int:
    while index < len(text) and text[index] in b"\r\n":
        index += 1
    return index


def hex_encode(value: Value) -> Value:
    """Two lower-case digits a byte."""
    return to_bytes(string(value, 1)).hex()


def hex_decode(value: Value) -> Value:
    """The string that hexadecimal digits stand for."""
    text = to_bytes(string(value, 1))
    valid = _HEX.match(text)
    end = valid.end() if valid else 0
    if end < len(text):
        char = chr(text[end])
        shown = f" '{char}'" if char.isprintable() else ""
        raise BuiltinError(f"encoding/hex: invalid byte: U+{text[end]:04X}{shown}")
    if end % 2:
        raise BuiltinError("encoding/hex: odd length hex string")
    return to_text(binascii.unhexlify(text))


def urlquery_encode(value: Value) -> Value:
    """The string as a component of a query: a space is +."""
    return quote_plus(to_bytes(string(value, 1)))


def urlquery_decode(value: Value) -> Value:
    """The string a component of a query stands for."""
    try:
        return unescape(string(value, 1))
    except UrlError as error:
        raise BuiltinError(str(error)) from None


def urlquery_encode_object(value: Value) -> Value:
    """An object of strings, or of arrays or sets of strings, as a query sorted by name."""
    pairs = [
        (to_bytes(name if isinstance(name, str) else dumps(value_of(name))), to_bytes(one))
        for name, told in object_(value, 1).items()
        for one in _strings(told)
    ]
    return "&".join([f"{quote_plus(name)}={quote_plus(one)}" for name, one in sorted(pairs, key=itemgetter(0))])


def _strings(value: Value) -> Iterable[str]:
    members = [value] if isinstance(value, str) else value
    if not isinstance(members, (list, Set)) or not all(isinstance(member, str) for member in members):
        raise OperandProblem(1, "values must be string, array[string], or set[string]")
    return members


def urlquery_decode_object(value: Value) -> Value:
    """The values of each name in a query."""
    try:
        return parse_query(string(value, 1))
    except UrlError as error:
        raise BuiltinError(str(error)) from None


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "base64.decode": base64_decode,
    "base64.encode": base64_encode,
    "base64.is_valid": base64_is_valid,
    "base64url.decode": base64url_decode,
    "base64url.encode": base64url_encode,
    "base64url.encode_no_pad": base64url_encode_no_pad,
    "hex.decode": hex_decode,
    "hex.encode": hex_encode,
    "urlquery.decode": urlquery_decode,
    "urlquery.decode_object": urlquery_decode_object,
    "urlquery.encode": urlquery_encode,
    "urlquery.encode_object": urlquery_encode_object,
}
