"""DER, read element by element with bounds checked, for the structures of certificates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
_STRINGS: Final = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1E: "utf-16-be",
}
_TIMES: Final = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
_MAX_OID: Final = (1 << 31) - 1


class DerError(ValueError):
    """The bytes are no DER of the shape asked for."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its content, and all its bytes with the header."""

    tag: int
    content: bytes
    raw: bytes

    def expect(self, tag: int) -> "Element":
        """This element, which must have this tag."""
        if self.tag != tag:
            raise DerError(f"tag {self.tag:#x} where {tag:#x} is due")
        return self

    def children(self) -> "Reader":
        """A reader of the elements inside."""
        return Reader(self.content)

    def integer(self) -> int:
        """The content as an integer, shortest form only."""
        content = self.expect(INTEGER).content
        minimal = len(content) == 1 or not (content[:1] in (b"\0", b"\xff") and content[0] >> 7 == content[1] >> 7)
        if not content or not minimal:
            raise DerError("integer is not minimal")
        return int.from_bytes(content, signed=True)

    def boolean(self) -> bool:
        """The content as a boolean."""
        if self.expect(BOOLEAN).content not in (b"\0", b"\xff"):
            raise DerError("boolean is neither true nor false")
        return self.content == b"\xff"

    def oid(self) -> list[int]:
        """The content as the numbers of an object identifier."""
        content = self.expect(OID).content
        if not content or content[-1] & 0x80:
            raise DerError("object identifier is cut off")
        numbers, number = [], 0
        for byte in content:
            number = number << 7 | byte & 0x7F
            if number > _MAX_OID:
                raise DerError("object identifier is out of range")
            if not byte & 0x80:
                numbers.append(number)
                number = 0
        head = min(numbers[0] // 40, 2)
        return [head, numbers[0] - 40 * head, *numbers[1:]]

    def bits(self) -> bytes:
        """The bytes of a bit string, its unused bits zero."""
        content = self.expect(BIT_STRING).content
        if not content or content[0] > 7 or (content[0] and len(content) == 1):
            raise DerError("bit string has bad padding")
        return content[1:]

    def text(self) -> str:
        """The content as a string of one of the types that names have."""
        encoding = _STRINGS.get(self.tag)
        if encoding is None:
            raise DerError(f"unsupported string type: {self.tag}")
        try:
            return self.content.decode(encoding)
        except UnicodeDecodeError as error:
            raise DerError(f"invalid string: {error.reason}") from None

    def time(self) -> datetime:
        """The content as an instant in UTC."""
        layout = _TIMES.get(self.tag)
        if layout is None:
            raise DerError("unsupported time format")
        try:
            read = datetime.strptime(self.content.decode("ascii"), layout).replace(tzinfo=UTC)
        except (UnicodeDecodeError, ValueError):
            raise DerError("malformed time") from None
        # Two digits of a year mean 1950 to 2049.
        return read.replace(year=read.year - 100) if self.tag == UTC_TIME and read.year >= 2050 else read


class Reader:
    """A cursor over consecutive elements."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def __iter__(self) -> Iterator[Element]:
        while not self.done:
            yield self.next()

    @property
    def done(self) -> bool:
        """Whether nothing follows."""
        return self._place >= len(self._content)

    def at(self, tag: int) -> bool:
        """Whether the next element has this tag."""
        return not self.done and self._content[self._place] == tag

    def next(self, tag: int | None = None) -> Element:
        """The next element, which must have this tag if one is given."""
        start, content = self._place, self._content
        if len(content) - start < 2 or content[start] & 0x1F == 0x1F:
            raise DerError("element is cut off")
        length, body = self._length(start + 1)
        if length > len(content) - body:
            raise DerError("element is cut off")
        self._place = body + length
        found = Element(content[start], content[body : body + length], content[start : body + length])
        return found if tag is None else found.expect(tag)

    def optional(self, tag: int) -> Element | None:
        """The next element if it has this tag."""
        return self.next() if self.at(tag) else None

    def end(self) -> None:
        """Nothing may follow."""
        if not self.done:
            raise DerError("trailing data")

    def _length(self, place: int) -> tuple[int, int]:
        first = self._content[place]
        if first < 0x80:
            return first, place + 1
        width = first & 0x7F
        digits = self._content[place + 1 : place + 1 + width]
        length = int.from_bytes(digits)
        if not 1 <= width <= 4 or len(digits) < width or digits[0] == 0 or length < 0x80:
            raise DerError("length is not minimal")
        return length, place + 1 + width


def only(content: bytes, tag: int) -> Element:
    """The one element that these bytes are."""
    reader = Reader(content)
    found = reader.next(tag)
    reader.end()
    return found
