"""`sprintf`: the verbs, flags and error marks of Go's `fmt` on Rego values.

Strings and numbers are formatted as Go formats them; any other value is formatted as the string of its Rego source.
A format is parsed once into texts and directives; what a directive takes from the operands is found when it prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from procurator.builtins import floats
from procurator.builtins.format_spec import NO_VERB, STAR, Directive, Format, Style, parse
from procurator.builtins.operands import BuiltinError, array, string
from procurator.builtins.text_bytes import to_bytes
from procurator.numbers import number_text
from procurator.render import quote, quote_ascii, quote_character, render
from procurator.values import Value

_MAX_LENGTH: Final = 1 << 27
# An operand beyond this is neither a width nor a precision.
_MAX_WIDTH: Final = 1_000_000
_INFINITE: Final = (float("inf"), float("-inf"))


class _Big(int):
    """An integer beyond 64 bits, which Go formats by rules of its own."""


_Operand = str | int | float


def sprintf(text: Value, operands: Value) -> str:
    """The format with its directives replaced by the operands."""
    return format_operands(string(text, 1), array(operands, 2))


def format_operands(text: str, values: list[Value]) -> str:
    """The format with its directives replaced by the values."""
    form = parse(text)
    if form.simple and form.operands == len(values):
        return _in_order(form, values)
    printer = _Printer([_operand(value) for value in values])
    for piece in form.pieces:
        printer.put(piece if isinstance(piece, str) else printer.directive(piece))
    if not form.reorders:
        printer.put(printer.extra())
    return "".join(printer.out)


def _in_order(form: Format, values: list[Value]) -> str:
    """What a simple format prints; most formats are."""
    operands = iter(values)
    return "".join([piece if isinstance(piece, str) else _plain(next(operands), piece.verb) for piece in form.pieces])


def _plain(value: Value, verb: str) -> str:
    if type(value) is str and verb != "d":
        return value
    if type(value) is int and verb != "s":
        return number_text(value)
    return _print(_operand(value), verb, _PLAIN)


def _operand(value: Value) -> _Operand:
    if isinstance(value, (str, float)):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(1 << 63) <= value < 1 << 63 else _Big(value)
    if isinstance(value, Decimal):
        near = float(value)
        return number_text(value) if near in _INFINITE else near
    return render(value)


class _Printer:
    """Prints directives one after the other, each taking the operands it names or the next ones."""

    def __init__(self, operands: list[_Operand]) -> None:
        self.out: list[str] = []
        self._operands = operands
        self._next = 0
        self._good = True
        self._length = 0

    def put(self, text: str) -> None:
        """Add a text to the output."""
        self._length += len(text)
        if self._length > _MAX_LENGTH:
            raise BuiltinError("text too long")
        self.out.append(text)

    def directive(self, directive: Directive) -> str:
        """What a directive prints."""
        self._good = not directive.bad
        style = self._style(directive) if directive.adjusts else directive.style
        verb = directive.verb
        self._go_to(directive.verb_index)
        if verb == NO_VERB:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not self._good:
            return f"%!{verb}(BADINDEX)"
        if self._next >= len(self._operands):
            return f"%!{verb}(MISSING)"
        self._next += 1
        return _print(self._operands[self._next - 1], verb, style.for_value() if verb in "vw" else style)

    def _style(self, directive: Directive) -> Style:
        style = directive.style
        self._go_to(directive.width_index)
        if style.width == STAR:
            width = self._number("%!(BADWIDTH)")
            style = replace(style, width=width)
            if width is not None and width < 0:
                style = replace(style, width=-width, flags=style.flags.replace("0", "") + "-")
        self._go_to(directive.precision_index)
        if style.precision == STAR:
            precision = self._number("%!(BADPREC)", least=0)
            style = replace(style, precision=precision)
        return style

    def _go_to(self, index: int | None) -> None:
        if index is not None:
            if 0 <= index < len(self._operands):
                self._next = index
            else:
                self._good = False

    def _number(self, complaint: str, least: int = -_MAX_WIDTH) -> int | None:
        found = self._operands[self._next] if self._next < len(self._operands) else None
        self._next += found is not None
        if type(found) is int and least <= found <= _MAX_WIDTH:
            return found
        self.put(complaint)
        return None

    def extra(self) -> str:
        """The complaint about operands that no directive took."""
        left = [f"{_type_of(operand)}={_print(operand, 'v', _PLAIN)}" for operand in self._operands[self._next :]]
        return f"%!(EXTRA {', '.join(left)})" if left else ""


_PLAIN: Final = Style()


# One operand


def _type_of(operand: _Operand) -> str:
    if isinstance(operand, str):
        return "string"
    if isinstance(operand, float):
        return "float64"
    return "*big.Int" if isinstance(operand, _Big) else "int64"


def _print(operand: _Operand, verb: str, style: Style) -> str:
    if style is _PLAIN and verb in "sv" and isinstance(operand, str):
        return operand
    if verb == "T":
        return style.pad(style.cut(_type_of(operand)))
    table, form = _FORMS[type(operand)]
    if verb in table:
        return form(operand, verb, style)
    if isinstance(operand, _Big) and verb not in "pw":
        return f"%!{verb}(big.Int={number_text(operand)})"
    return f"%!{verb}({_type_of(operand)}={_print(operand, 'v', style)})"


def _string(text: str, verb: str, style: Style) -> str:
    if verb in "xX":
        return _hex_of_text(text, style, upper=verb == "X")
    text = style.cut(text)
    if verb == "q" or (verb == "v" and style.go_syntax):
        if "#" in style.flags and _can_backquote(text):
            return style.pad(f"`{text}`")
        return style.pad(quote_ascii(text) if "+" in style.flags else quote(text))
    return style.pad(text)


def _can_backquote(text: str) -> bool:
    return all(character == "\t" or (character >= " " and character not in "`\x7f\ufeff") for character in text)


def _hex_of_text(text: str, style: Style, *, upper: bool) -> str:
    data = to_bytes(text)[: style.precision]
    prefix = "0x" if "#" in style.flags else ""
    shown = prefix + (data.hex(" ").replace(" ", f" {prefix}") if " " in style.flags else data.hex())
    return style.pad((shown.upper() if upper else shown) if data else "")


def _float(value: float, verb: str, style: Style) -> str:
    text = floats.VERBS[verb](abs(value), style.precision)
    if "#" in style.flags and verb != "b":
        significant = (6 if style.precision is None else style.precision) if verb in "vgGx" else 0
        text = floats.with_point(text, significant, hexadecimal=verb in "xX")
    sign = style.sign(negative=str(value).startswith("-"))
    if sign and "0" in style.flags and "-" not in style.flags and style.width is not None:
        return sign + text.rjust(style.width - 1, "0")
    return style.pad(sign + text)


_BASES: Final = {"b": "b", "d": "d", "o": "o", "O": "o", "s": "d", "v": "d", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "o": "0", "O": "0", "x": "0x", "X": "0X"}


def _digits(value: int, verb: str) -> str:
    return number_text(abs(value)) if verb in "dsv" else format(abs(value), _BASES[verb])


def _integer(value: int, verb: str, style: Style) -> str:
    if verb in _CHARACTERS:
        return _CHARACTERS[verb](value, style)
    if style.precision == 0 and value == 0:
        return " " * (style.width or 0)
    sign = style.sign(negative=value < 0)
    least = style.precision or 0
    if style.precision is None and "0" in style.flags and "-" not in style.flags:
        least = (style.width or 0) - len(sign)
    digits = _digits(value, verb).rjust(least, "0")
    prefix = _PREFIXES.get(verb, "") if "#" in style.flags else ""
    if prefix == "0" and digits.startswith("0"):
        prefix = ""
    octal = "0o" if verb == "O" else ""
    return style.pad(sign + octal + prefix + digits, zeros=False)


def _big_integer(value: int, verb: str, style: Style) -> str:
    flags = style.flags + style.value_flags
    sign = replace(style, flags=flags).sign(negative=value < 0)
    prefix = "0o" if verb == "O" else _PREFIXES.get(verb, "") if "#" in flags else ""
    digits = _digits(value, verb).rjust(style.precision or 0, "0")
    if "0" in flags and "-" not in flags and style.precision is None:
        digits = digits.rjust((style.width or 0) - len(sign + prefix), "0")
    return style.pad(sign + prefix + digits, zeros=False)


def _character(value: int) -> str:
    return chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000 else "\ufffd"


def _code_point(value: int, style: Style) -> str:
    code = format(value % (1 << 64), "X").rjust(max(style.precision or 0, 4), "0")
    shown = f" '{chr(value)}'" if "#" in style.flags and 0 <= value <= 0x10FFFF and chr(value).isprintable() else ""
    return style.pad(f"U+{code}{shown}", zeros=False)


_CHARACTERS: Final[Mapping[str, Callable[[int, Style], str]]] = {
    "U": _code_point,
    "c": lambda value, style: style.pad(_character(value)),
    "q": lambda value, style: style.pad(quote_character(_character(value), ascii_only="+" in style.flags)),
}

_FORMS: Final[Mapping[type, tuple[str, Callable[..., str]]]] = {
    str: ("sqvxX", _string),
    float: ("EFGXbefgvx", _float),
    int: ("OUXbcdoqvx", _integer),
    _Big: ("OXbdosvx", _big_integer),
}

TABLE: Final[Mapping[str, Callable[..., Value]]] = {"sprintf": sprintf}
