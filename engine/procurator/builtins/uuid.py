"""`uuid.parse`: what a UUID says of its kind, its time and its maker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from procurator.builtins.operands import string
from procurator.values import UNDEFINED, Value

_DASHED: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# The two characters around the 36 of a UUID in braces may be anything, as long as each is one byte.
_SHAPE: Final = re.compile(
    rf"(?:urn:uuid:)?({_DASHED})|[\x00-\x7f]({_DASHED})[\x00-\x7f]|([0-9a-f]{{32}})", re.ASCII | re.IGNORECASE
)
_DOMAINS: Final = ("Person", "Group", "Org")
# 100 ns steps from the start of the Gregorian calendar to 1970.
_GREGORIAN: Final = 0x01B21DD213814000
_WORD: Final = 1 << 64


def parse(value: Value) -> Value:
    """Version and variant, and for versions 1 and 2 what they carry; undefined if the text is no UUID."""
    match = _SHAPE.fullmatch(string(value, 1))
    if match is None:
        return UNDEFINED
    uuid = UUID(match[match.lastindex or 0])
    version = uuid.bytes[6] >> 4
    told: dict[str, Value] = {"version": version, "variant": _variant(uuid.bytes[8])}
    if version in (1, 2):
        told |= _time_based(uuid)
    if version == 2:
        domain = uuid.bytes[9]
        told |= {"id": uuid.time_low, "domain": _DOMAINS[domain] if domain < 3 else f"Domain{domain}"}
    return told


def _variant(byte: int) -> str:
    if byte & 0xC0 == 0x80:
        return "RFC4122"
    return {0xC0: "Microsoft", 0xE0: "Future"}.get(byte & 0xE0, "Reserved")


def _time_based(uuid: UUID) -> dict[str, Value]:
    # The count is one of 64 bits and wraps for times far in the future.
    nanoseconds = ((uuid.time - _GREGORIAN) * 100 + _WORD // 2) % _WORD - _WORD // 2
    first = uuid.bytes[10]
    return {
        "time": nanoseconds,
        "nodeid": uuid.bytes[10:].hex("-"),
        "macvariables": f"{'local' if first & 2 else 'global'}:{'multicast' if first & 1 else 'unicast'}",
        "clocksequence": int.from_bytes(uuid.bytes[8:10]) & 0x3FFF,
    }


TABLE: Final[Mapping[str, Callable[..., Value]]] = {"uuid.parse": parse}
