"""From the plan to Python: one function a unit and a whole document, one for the query, one for a prepared term.

Values enter by name, never as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from procurator.compile.blocks import BlockWriter
from procurator.compile.cost import sized_loops
from procurator.compile.depths import units_apart
from procurator.compile.emit import STEPS
from procurator.compile.plan import (
    COMPLETE,
    Compute,
    Document,
    Get,
    Held,
    Name,
    Program,
    Replace,
    Unit,
    UnitKey,
    UnitValue,
)
from procurator.compile.references import Names, Settings, Steps
from procurator.compile.rewrite import blocks_of, parts
from procurator.compile.units import COUNTS, UnitWriter, same_constant
from procurator.compile.writer import Writer
from procurator.runtime.support import HEADER
from procurator_rules.spans import Span

MAX_CERTAIN: Final = 40
"""Steps up to which a block is certain to be written in one function."""


@dataclass(frozen=True, slots=True)
class Code:
    """Python code of a program.

    Attributes:
        text: the module's source.
        line_map: spans of the policy by line number.
        constants: values that the module refers to by name.
        bases: names bound to base documents when data is loaded, and the path of each.
        builtins: names bound to built-in functions, and which; with the span of the call for its errors.
        size: how many places a context has.
    """

    text: str
    line_map: Mapping[int, Span]
    constants: Mapping[str, Any]
    bases: Mapping[str, tuple[str, ...]]
    builtins: Mapping[str, tuple[str, Span]]
    size: int


def generate(program: Program, settings: Settings) -> Code:
    """The code of a program: functions `u0`, `u1`, … for units, `query` for the entry, `entry` for a prepared term."""
    return _Generator(program, settings).generate()


def entry_unit(program: Program) -> UnitKey | None:
    """The unit whose value is all that a program computes; None for any other query."""
    if len(program.entry) != 1 or len(program.outputs) != 1:
        return None
    step = program.entry[0]
    if not (isinstance(step, Compute) and isinstance(step.value, Get) and not step.value.keys):
        return None
    source = step.value.source
    return source.unit if isinstance(source, UnitValue) and source.frame == 0 else None


class _Generator:
    """Writes the code of one program."""

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self.settings = settings
        self.out = Writer()
        units = {key: f"u{number}" for number, key in enumerate(program.units)}
        documents = {document: f"d{number}" for number, document in enumerate(program.documents)}
        places = places_of(program)
        kept = HEADER + len(places)
        self.memo = {name: kept + number for number, name in enumerate((*units.values(), *documents.values()))}
        self.names = Names(units, documents, places, kept, kept + len(self.memo))
        self.write = BlockWriter(self.out, self.names, settings, STEPS)
        if settings.steps is Steps.GUARDED:
            self.write.sized = sized_loops(program)
        self.units = UnitWriter(self.write, self.memo, program.rules, units_apart(program))

    def generate(self) -> Code:
        for key, unit in self.program.units.items():
            self.units.function(self.names.units[key], unit)
        for document, name in self.names.documents.items():
            self._document(name, document)
        self._entry()
        self._query()
        text, line_map = self.out.source()
        bases = {name: path for path, name in self.names.bases.items()}
        return Code(text, line_map, self.out.constants, bases, self.names.builtins, self.names.size)

    def _document(self, name: str, document: Document) -> None:
        plan = self.program.documents[document]
        out = self.out
        objects = out.named("k", plan.objects)
        units = "".join(f"({out.constant(path)}, {self.names.units[key]}), " for path, key in plan.units)
        replaced = "".join(f"({out.constant(path)}, {self.names.places[target]}), " for path, target in plan.replaced)
        with out.function(name, "c0"):
            out.line(f"r = c0[{self.memo[name]}]")
            with out.block("if r is Z:"):
                base = self.write.base(document.path)
                out.line(f"r = DOCUMENT({base}, {objects}, ({units}), ({replaced}), c0)")
                out.line(f"c0[{self.memo[name]}] = r")
            out.line("return r")

    def _entry(self) -> None:
        """The function behind a prepared term: the unit it names, without a context unless it needs one."""
        key = entry_unit(self.program)
        if key is None:
            return
        unit = self.program.units[key]
        self.write.local_input = True
        name, given = ("decide", "i0, t0") if self.settings.traced else ("entry", "i0, None")
        if self.settings.steps is Steps.COUNTED:
            given += ", t1"
        is_certain = self.settings.traced and _trace_is_certain(unit)
        self.write.certain = [] if is_certain else None
        first = (("t0", "t0 = []"), ("t1", "t1 = METER()"), ("c0", f"c0 = CONTEXT({given})"))
        with self.out.function(name, "i0=U", unit.span, first):
            with self.out.block("try:"):
                self.units.body(self.names.units[key], unit)
            if self.settings.steps is Steps.GUARDED:
                with self.out.block("except LARGER:"):
                    self.out.line("pass")
            with self.out.block("except FAILURES as e:"):
                self.out.line("raise FAILED(e, i0)")
            if self.settings.steps is Steps.GUARDED:
                self.out.line("return AGAIN(i0)")
        self.write.local_input = False
        self.write.certain = None

    def _query(self) -> None:
        outputs = tuple(operand for _, operand in self.program.outputs)
        row = "".join(f"{self.write.operand(operand)}, " for operand in outputs)
        with self.out.function("query", "c0, found", first=COUNTS):
            self.write.begin_unit((), (self.program.entry, outputs))
            self.write.attempt(self.program.entry, lambda: self.out.line(f"found(({row}))"), ordered=True)


def _trace_is_certain(unit: Unit) -> bool:
    """Whether the place at which a unit returns tells which rules have held."""
    if (
        unit.kind != COMPLETE
        or unit.families
        or not same_constant(unit)
        or (unit.default is not None and unit.default.block)
    ):
        return False
    for definition in unit.definitions:
        for branch in definition.branches:
            if len(branch.block) > MAX_CERTAIN or len(definition.branches) > 1:
                return False
            for step in branch.block:
                inner = [part for part in parts(step) if part is not step]
                if any(isinstance(part, Held | UnitKey) for part in inner):
                    return False
    return True


def places_of(program: Program) -> Mapping[Name, int]:
    """Where a context keeps what `with` puts in the place of documents and functions."""
    names: set[Name] = set()
    variants = [key.variant for key in program.units] + [document.variant for document in program.documents]
    for variant in variants:
        names |= {*variant.documents, *variant.values}
    for block in blocks_of(program):
        for part in parts(block):
            if isinstance(part, Replace):
                names |= {name for name, _ in part.values}
    return {name: HEADER + number for number, name in enumerate(sorted(names))}
