"""Tokens in three parts: taking them apart, and the header's demands."""

from dataclasses import dataclass
from typing import Final

from procurator.builtins.encoding import base64url_decode
from procurator.builtins.json_text import unmarshal
from procurator.builtins.operands import BuiltinError, string
from procurator.builtins.text_bytes import printable, to_bytes
from procurator.values import Key, Value

Object = dict[Key, Value]

_NAMED: Final = ("alg", "kid", "typ", "cty")


@dataclass(frozen=True)
class Token:
    """A token, its parts still encoded."""

    header: str
    payload: str
    signature: str

    @classmethod
    def read(cls, value: Value) -> "Token":
        """Take a token apart."""
        text = string(value, 1)
        if "." not in text:
            raise BuiltinError("encoded JWT had no period separators")
        parts = text.split(".")
        if len(parts) != 3:
            raise BuiltinError(f"encoded JWT must have 3 sections, found {len(parts)}")
        return cls(*parts)

    @property
    def signed(self) -> bytes:
        """What the signature is for."""
        return to_bytes(f"{self.header}.{self.payload}")

    def decoded_header(self) -> Object:
        """The header, which must be that of a signature and not of an encryption."""
        text = _decoded(self.header, "header")
        try:
            header = json_object(text)
        except BuiltinError as error:
            raise BuiltinError(f"bad JWT header: {error}") from None
        if "enc" in header:
            raise BuiltinError("JWT is a JWE object, which is not supported")
        return header

    def decoded_payload(self) -> str:
        """The text of the payload."""
        return _decoded(self.payload, "payload")

    def decoded_signature(self) -> bytes:
        """The bytes of the signature."""
        return to_bytes(base64url_decode(self.signature))


def _decoded(text: str, part: str) -> str:
    try:
        return str(base64url_decode(text))
    except BuiltinError as error:
        raise BuiltinError(f"JWT {part} had invalid encoding: {error}") from None


def json_object(text: str) -> Object:
    """The object that a JSON text is."""
    try:
        value = unmarshal(printable(text))
    except BuiltinError as error:
        raise BuiltinError(f"invalid JSON: {error}") from None
    if not isinstance(value, dict):
        raise BuiltinError("decoded JSON type was not an Object")
    return value


@dataclass(frozen=True)
class Header:
    """What a header says of the signature."""

    algorithm: str = ""
    identifier: str = ""
    content_type: str = ""
    valid: bool = False

    @classmethod
    def read(cls, header: Object) -> "Header":
        """The demands of a header; not valid when it names no algorithm or demands what is not understood."""
        texts = {name: _text(header, name) for name in _NAMED if name in header}
        critical = _critical(header) if "crit" in header else set()
        not_understood = critical.intersection(header.keys() - {*_NAMED, "crit"})
        algorithm = texts.get("alg", "")
        return cls(algorithm, texts.get("kid", ""), texts.get("cty", ""), bool(algorithm) and not not_understood)


def _text(header: Object, name: str) -> str:
    value = header[name]
    if not isinstance(value, str):
        raise BuiltinError(f"{name}: must be a string")
    return value


def _critical(header: Object) -> set[str]:
    value = header["crit"]
    if not isinstance(value, list):
        raise BuiltinError("crit: must be a list")
    names = {name for name in value if isinstance(name, str)}
    if not names:
        raise BuiltinError("crit: must be a nonempty list")
    return names
