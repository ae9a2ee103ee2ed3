"""What code calls the values of a plan, what is known of them, and how it looks them up.

What is known of base documents spares guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from procurator.compile.plan import (
    Base,
    CallBuiltin,
    Constant,
    Document,
    Get,
    Input,
    Name,
    Operand,
    Register,
    Replacement,
    Source,
    UnitKey,
    UnitValue,
)
from procurator.compile.shapes import ANY, STRING, Shape
from procurator.compile.writer import Writer
from procurator.runtime.support import EVALUATION, INPUT
from procurator_rules.spans import NO_SPAN, Span


@dataclass(frozen=True, slots=True)
class Settings:
    """What code is generated for.

    Attributes:
        traced: whether the numbers of the rules that hold are recorded.
        limited: whether steps are counted.
        bounded: whether there is a limit on results.
        prints: whether `print` does anything.
        contextual: the built-ins that take the evaluation before their operands.
        shapes: what is known of base documents, by path.
    """

    traced: bool = False
    limited: bool = False
    bounded: bool = False
    prints: bool = False
    contextual: frozenset[str] = frozenset()
    shapes: Mapping[tuple[str, ...], Shape] = field(default_factory=dict)


@dataclass(slots=True)
class Names:
    """What the parts of a program are called in its code.

    Attributes:
        units: the function of each unit.
        documents: the function of each whole document.
        places: where a context keeps each replacement.
        bases: the names of base documents, given out as they are met.
        builtins: the names of built-ins, one for each call, with the place of the call.
        kept: how many places of a context are no kept values.
        size: how many places a context has.
    """

    units: Mapping[UnitKey, str]
    documents: Mapping[Document, str]
    places: Mapping[Name, int]
    kept: int
    size: int
    bases: dict[tuple[str, ...], str] = field(default_factory=dict)
    builtins: dict[str, tuple[str, Span]] = field(default_factory=dict)


UNNAMED: Final = 10_000
"""Registers that the plan does not have are numbered from here on, beyond any flag of a unit."""


class References:
    """Writes what refers to values in the code of one program.

    Attributes:
        local_input: whether the input is a parameter of the function being written.
        shapes: what is known of the values in registers of the unit being written.
    """

    def __init__(self, out: Writer, names: Names, settings: Settings) -> None:
        self.out = out
        self.names = names
        self.settings = settings
        self.local_input = False
        self.shapes: dict[Register, Shape] = {}
        self._flags = 0

    def flag(self) -> str:
        """A new variable that is no register."""
        self._flags += 1
        return f"f{self._flags}"

    def unnamed(self) -> Register:
        """A new register that the plan does not have."""
        self._flags += 1
        return Register(-self._flags)

    def context(self, place: int, frame: int = 0) -> str:
        """The code of a place of the context of a frame."""
        return f"c{frame}[{place}]"

    def operand(self, operand: Operand) -> str:
        """The code of an operand."""
        if isinstance(operand, Register):
            return f"v{operand.number}" if operand.number >= 0 else f"f{UNNAMED - operand.number}"
        return self.out.constant(operand.value)

    def key(self, operand: Operand) -> str:
        """The code of an operand's canonical key."""
        text = self.operand(operand)
        return text if self.shape(operand) is STRING else f"({text} if type({text}) is str else KEY({text}))"

    def source(self, source: Source) -> str:
        """The code of a source."""
        return _SOURCES[type(source)](self, source)

    def shape(self, source: Source) -> Shape:
        """What is known of the value of a source or operand."""
        if isinstance(source, Register):
            return self.shapes.get(source, ANY)
        if isinstance(source, Constant):
            return STRING if type(source.value) is str else ANY
        return self.settings.shapes.get(source.path, ANY) if isinstance(source, Base) else ANY

    def base(self, path: tuple[str, ...]) -> str:
        """The name of a base document."""
        return self.names.bases.setdefault(path, f"B{len(self.names.bases)}")

    def span(self, span: Span) -> str:
        """The name of a span."""
        return self.out.named("s", span) if span is not NO_SPAN else "NO_SPAN"

    def call_text(self, value: CallBuiltin) -> str:
        """The call of a built-in as it stands in the table."""
        name = f"b{len(self.names.builtins)}"
        self.names.builtins[name] = (value.name, value.span)
        evaluation = [self.context(EVALUATION)] if value.name in self.settings.contextual else []
        return f"{name}({', '.join([*evaluation, *map(self.operand, value.args)])})"

    # Look-ups

    def look_up(self, target: Register, value: Get, span: Span) -> bool:
        """Write a look-up that leaves `U` where there is nothing; whether that can be."""
        name, text, shape = self.operand(target), self.source(value.source), self.shape(value.source)
        certain = True
        for key in value.keys:
            text, shape, found = self._select(text, shape, key, isinstance(value.source, Base))
            certain = certain and found
        self.shapes[target] = shape
        if not value.keys or certain:
            self.out.line(f"{name} = {text}", span)
            return not value.keys
        with self.out.block("try:"):
            self.out.line(f"{name} = {text}", span)
        with self.out.block("except MISSING:"):
            self.out.line(f"{name} = U")
        return True

    def _select(self, text: str, shape: Shape, key: Operand, base: bool) -> tuple[str, Shape, bool]:
        """What one key selects: code, what is known of it, and whether it is certain to be there."""
        name = self.operand(key)
        if isinstance(key, Constant) and type(key.value) is str:
            known = shape.field(key.value) if shape.kind == "dict" else None
            return f"{text}[{name}]", known or shape.member or ANY, known is not None
        if shape.kind == "dict" and isinstance(key, Register):
            # All keys are strings: no other key can be found by mistake.
            return f"{text}[{name}]", shape.member or ANY, False
        if isinstance(key, Register) and self.shape(key) is STRING:
            return f"{text}[{name}]", ANY, False
        look_up = "LOOKUP_BASE" if base and isinstance(key, Constant) else "LOOKUP"
        return f"{look_up}({text}, {name})", (shape.member or ANY) if shape.kind == "list" else ANY, False


def _input(refer: References, source: Input) -> str:
    return "i0" if refer.local_input and source.frame == 0 else refer.context(INPUT, source.frame)


def _document(refer: References, source: Document) -> str:
    name = refer.names.documents[Document(source.path, 0, source.variant)]
    return f"{name}(c{source.frame})"


_SOURCES: Final[dict[type, Callable[[References, Any], str]]] = {
    Register: References.operand,
    Constant: References.operand,
    Input: _input,
    Base: lambda refer, source: refer.base(source.path),
    Document: _document,
    UnitValue: lambda refer, source: f"{refer.names.units[source.unit]}(c{source.frame})",
    Replacement: lambda refer, source: refer.context(refer.names.places[source.name], source.frame),
}
