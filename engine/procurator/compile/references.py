"""What code calls the values of a plan, what is known of them, and how it looks them up.

What is known of base documents spares guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
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


class Steps(Enum):
    """How an evaluation is kept within a limit on steps."""

    FREE = "free"
    """Not at all: there is no limit, or it is certain that there are fewer."""
    GUARDED = "guarded"
    """Collections that are larger than foreseen end it, to begin again with counting."""
    COUNTED = "counted"
    """By counting."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What code is generated for.

    Attributes:
        traced: whether the numbers of the rules that hold are recorded.
        steps: how steps are kept within limits.
        bounded: whether there is a limit on results.
        prints: whether `print` does anything.
        contextual: the built-ins that take the evaluation before their operands.
        shapes: what is known of base documents, by path.
    """

    traced: bool = False
    steps: Steps = Steps.FREE
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


@dataclass(frozen=True, slots=True)
class Selected:
    """What a look-up finds.

    Attributes:
        text: its code.
        shape: what is known of its value.
        fails: whether the code may raise one of `MISSING` where there is nothing.
        misses: whether its value may be `U`.
    """

    text: str
    shape: Shape
    fails: bool = False
    misses: bool = False


UNNAMED: Final = 10_000
"""Registers that the plan does not have are numbered from here on, beyond any flag of a unit."""


class References:
    """Writes what refers to values in the code of one program.

    Attributes:
        local_input: whether the input is a parameter of the function being written.
        shapes: what is known of the values in registers of the unit being written.
        texts: the code of registers that are used once, where they are used.
        sized: the identities of the loops that need no guard.
    """

    def __init__(self, out: Writer, names: Names, settings: Settings) -> None:
        self.out = out
        self.names = names
        self.settings = settings
        self.local_input = False
        self.shapes: dict[Register, Shape] = {}
        self.texts: dict[Register, str] = {}
        self.sized: frozenset[int] = frozenset()
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
            if operand in self.texts:
                return self.texts[operand]
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
        name, found = self.operand(target), self.selected(value)
        self.shapes[target] = found.shape
        if not found.fails:
            self.out.line(f"{name} = {found.text}", span)
            return found.misses or not value.keys
        with self.out.block("try:"):
            self.out.line(f"{name} = {found.text}", span)
        with self.out.block("except MISSING:"):
            self.out.line(f"{name} = U")
        return True

    def selected(self, value: Get) -> Selected:
        """What a look-up finds."""
        found = Selected(self.source(value.source), self.shape(value.source))
        for key in value.keys:
            found = self._select(found, key, isinstance(value.source, Base))
        return found

    def _select(self, at: Selected, key: Operand, base: bool) -> Selected:
        """What one key selects."""
        name, is_dict = self.operand(key), at.shape.kind == "dict"
        if isinstance(key, Constant) and type(key.value) is str:
            known = at.shape.field(key.value) if is_dict else None
            fails = known is None or at.fails or at.misses
            return Selected(f"{at.text}[{name}]", known or at.shape.member or ANY, fails)
        is_text = isinstance(key, Register) and self.shape(key) is STRING
        if isinstance(key, Register) and is_dict and not at.misses:
            # All keys are strings: no other key can be found by mistake, but some cannot be looked up.
            return Selected(f"{at.text}.get({name}, U)", at.shape.member or ANY, at.fails or not is_text, misses=True)
        if isinstance(key, Register) and (is_dict or is_text):
            return Selected(f"{at.text}[{name}]", (at.shape.member or ANY) if is_dict else ANY, fails=True)
        look_up = "LOOKUP_BASE" if base and isinstance(key, Constant) else "LOOKUP"
        shape = (at.shape.member or ANY) if at.shape.kind == "list" else ANY
        return Selected(f"{look_up}({at.text}, {name})", shape, at.fails, misses=True)


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
