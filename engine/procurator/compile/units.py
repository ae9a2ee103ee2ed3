"""The code of units: what their definitions and families give becomes one value, a set or an object."""

from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from typing import Any, Final

from procurator.compile.blocks import BlockWriter
from procurator.compile.emit import spend
from procurator.compile.plan import (
    COMPLETE,
    FUNCTION,
    PARTIAL_OBJECT,
    PARTIAL_SET,
    Branch,
    Constant,
    Definition,
    Family,
    Operand,
    RuleInfo,
    Unit,
    UnitKey,
)
from procurator.compile.references import Steps
from procurator.compile.tables import open_rows, table_of
from procurator.decision import Decision
from procurator.runtime.support import METER
from procurator.values import UNDEFINED
from procurator_rules.spans import Span

COUNTS: Final = (("t1", f"t1 = c0[{METER}]"),)
"""How a function that counts steps gets at the meter."""

LITERALS: Final = ("True", "False", "None")


class UnitWriter:
    """Writes the units of one program.

    Attributes:
        memo: the place of a context where the value of each unit is kept, by the name of its function.
        rules: the rules that decisions refer to.
        apart: the units that begin a stack of their own.
        numbers: the numbers of the units.
        in_family: whether the block being written is run for rows of a table, of which `n` has the rule's number.
        tables: the names of the tables of families, by the identity of the family.
    """

    def __init__(
        self, write: BlockWriter, memo: Mapping[str, int], rules: Sequence[RuleInfo], apart: Set[UnitKey]
    ) -> None:
        self.write = write
        self.out = write.out
        self.memo = memo
        self.rules = rules
        self.apart = apart
        self.numbers = {key: number for number, key in enumerate(write.names.units)}
        self.in_family = False
        self.tables: dict[int, str] = {}

    def function(self, name: str, unit: Unit) -> None:
        """Write the function of a unit, which keeps its value in the context unless it is a function of the policy."""
        out = self.out
        parameters = "".join(f", {self.write.operand(register)}" for register in unit.parameters)
        self.write.begin_unit((), _run_for(unit))
        self._chains(name, unit, parameters)
        with out.function(name, f"c0{parameters}", unit.span, COUNTS):
            if unit.kind == FUNCTION:
                if self.write.settings.steps is Steps.COUNTED:
                    spend(self.write, "1", unit.span)
            else:
                out.line(f"r = c0[{self.memo[name]}]")
                with out.block("if r is not Z:"):
                    out.line("return r")
            if unit.key in self.apart:
                out.line(f"return APART({name}_apart, c0{parameters})", unit.span)
            else:
                self.body(name, unit)
        if unit.key in self.apart:
            with out.function(f"{name}_apart", f"c0{parameters}", unit.span, COUNTS):
                self.body(name, unit)

    def body(self, name: str, unit: Unit) -> None:
        """Write what computes and returns the value of a unit."""
        self.write.begin_unit(unit.shared, _run_for(unit))
        _KINDS[unit.kind](self, name, unit)

    def _result(self, name: str, unit: Unit, value: str) -> None:
        """Return a value, and keep it for the next to ask."""
        if self.write.local_input:  # the body of a prepared term keeps nothing
            if self.write.settings.bounded and value not in LITERALS:
                value = f"({value} if type({value}) is bool else RESULT({value}))"
            self.out.line(f"return DECISION({value}, t0, RULES)" if self.write.settings.traced else f"return {value}")
            return
        if unit.kind != FUNCTION:
            self.out.line(f"c0[{self.memo[name]}] = r = {value}")
            value = "r"
        self.out.line(f"return {value}")

    def _value_unit(self, name: str, unit: Unit) -> None:
        """A complete document or a function: the one value its definitions agree on."""
        if same_constant(unit):
            self._first_unit(name, unit)
            return
        out = self.out
        out.line("r = U")
        for family in unit.families:
            self._family(family, partial(self._yield, family.branch, unit), ("r",))
        for number, definition in enumerate(unit.definitions):
            if len(definition.branches) > 1:
                self.write.share_all()
                registers = (*unit.parameters, *(step.target for step in unit.shared))
                call = ", ".join(["c0", *map(self.write.operand, registers)])
                out.line(f"v = {name}_{number}({call})")
                with out.block("if v is not U:"):
                    self._merge("v", unit, definition.span)
                continue
            branch = definition.branches[0]
            self.write.attempt(
                branch.block,
                partial(self._held, definition, partial(self._yield, branch, unit)),
                ("r",),
            )
        self._default(unit)
        self._result(name, unit, "r")

    def _first_unit(self, name: str, unit: Unit) -> None:
        """All definitions give one constant: the first to hold settles the value."""
        out = self.out
        outlines = self.write.outlines
        out.line("r = U")
        start = out.mark()
        for family in unit.families:
            self._family(family, partial(self._settle, family.branch, name, unit), ("r",))
        for definition in unit.definitions:
            for branch in definition.branches:

                def done(branch: Branch = branch, definition: Definition = definition) -> None:
                    self.write.note(definition.rule)
                    if self.write.certain is not None:
                        self.out.line(f"return {self._decided(branch.value, self.write.certain)}")
                    else:
                        self._settle(branch, name, unit)

                self.write.attempt(branch.block, done, ("r",))
        if self.write.outlines == outlines and (unit.default is None or not unit.default.block):
            out.forget(start)
            default = Constant(UNDEFINED) if unit.default is None else unit.default.value
            if self.write.certain is not None:
                self.out.line(f"return {self._decided(default, ())}")
            else:
                self._result(name, unit, self.write.operand(default))
            return
        self._default(unit)
        self._result(name, unit, "r")

    def _settle(self, branch: Branch, name: str, unit: Unit) -> None:
        value = self.write.operand(branch.value)
        if self.write.nest.outlined:
            self.out.line(f"r = {value}")
        else:
            self._result(name, unit, value)

    def _family(self, family: Family, done: Callable[[], None], assigned: tuple[str, ...] = ()) -> None:
        """Rules of one shape: the block runs for each row that the table finds."""
        out = self.out
        depth = out.depth
        self.write.share((family.tests, family.branch))
        open_rows(self.write, family, self._table(family))

        def noted() -> None:
            self.write.record("n")
            done()

        self.in_family = True
        self.write.attempt(family.branch.block, noted, assigned, loops=1)
        self.in_family = False
        out.depth = depth

    def _table(self, family: Family) -> str:
        """The name of a family's table, of which there is one however often code looks in it."""
        if id(family) not in self.tables:
            self.tables[id(family)] = self.out.named("T", table_of(family))
        return self.tables[id(family)]

    def _decided(self, value: Operand, held: Sequence[int]) -> str:
        """The name of a decision known when compiling: which rules have held is certain at its place in the code."""
        assert isinstance(value, Constant)  # noqa: S101  # only constants are returned early
        return self.out.named("d_", Decision(value.value, tuple(held), self.rules))

    def _default(self, unit: Unit) -> None:
        default = unit.default
        if default is not None:
            with self.out.block("if r is U:"):
                self.write.attempt(
                    default.block, lambda: self.out.line(f"r = {self.write.operand(default.value)}"), ("r",)
                )

    def _held(self, definition: Definition, done: Callable[[], None]) -> None:
        self.write.note(definition.rule)
        done()

    def _yield(self, branch: Branch, unit: Unit) -> None:
        self._merge(self.write.operand(branch.value), unit, branch.span)

    def _merge(self, value: str, unit: Unit, span: Span) -> None:
        out = self.out
        context = "None" if self.write.local_input else "c0"
        operands = "".join(f"{self.write.operand(register)}, " for register in unit.parameters)
        with out.block("if r is U:"):
            out.line(f"r = {value}")
        with out.block("else:"):
            out.line(f"AGREE(r, {value}, {self.numbers[unit.key]}, {context}, ({operands}), {self._span(span)})")

    def _span(self, span: Span) -> str:
        """The code of the place of a rule: in a family it is that of the row."""
        return "RULES[n].span" if self.in_family else self.write.span(span)

    def _chains(self, name: str, unit: Unit, parameters: str) -> None:
        """A function for each rule with `else`: it gives the value of the first branch that holds."""
        out = self.out
        shared = "".join(f", {self.write.operand(step.target)}" for step in unit.shared)
        for number, definition in enumerate(unit.definitions):
            if len(definition.branches) == 1 or unit.kind not in (COMPLETE, FUNCTION) or same_constant(unit):
                continue
            with out.function(f"{name}_{number}", f"c0{parameters}{shared}", definition.span, COUNTS):
                out.line("r = U")
                for branch in definition.branches:
                    self.write.attempt(
                        branch.block,
                        partial(self._held, definition, partial(self._yield, branch, unit)),
                        ("r",),
                    )
                    with out.block("if r is not U:"):
                        out.line("return r")
                out.line("return U")

    def _set_unit(self, name: str, unit: Unit) -> None:
        self.out.line("m = {}")
        for family in unit.families:
            self._family(family, partial(self._add_member, family.branch))
        for definition in unit.definitions:
            for branch in definition.branches:
                self.write.attempt(branch.block, partial(self._held, definition, partial(self._add_member, branch)))
        self._result(name, unit, "SETOF(m)")

    def _add_member(self, branch: Branch) -> None:
        value = self.write.operand(branch.value)
        self.out.line(f"m.setdefault({self.write.key(branch.value)}, {value})", branch.span)

    def _object_unit(self, name: str, unit: Unit) -> None:
        """A partial object, or all rules at and below an open path."""
        self.out.line("m = NEST()")
        for family in unit.families:
            self._family(family, partial(self._put, family.branch))
        for definition in unit.definitions:
            if len(definition.branches) > 1:
                self._object_chain(definition)
                continue
            branch = definition.branches[0]
            self.write.attempt(branch.block, partial(self._held, definition, partial(self._put, branch)))
        self._result(name, unit, "FINISHED(m)")

    def _object_chain(self, definition: Definition) -> None:
        out = self.out
        depth = out.depth
        flag = self.write.flag()
        out.line(f"{flag} = False")
        for number, branch in enumerate(definition.branches):
            if number:
                out.open(f"if not {flag}:")

            def done(branch: Branch = branch) -> None:
                self._held(definition, partial(self._put, branch))
                out.line(f"{flag} = True")

            self.write.attempt(branch.block, done, (flag,))
            out.depth = depth

    def _put(self, branch: Branch) -> None:
        value, span = self.write.operand(branch.value), self._span(branch.span)
        keys = "".join(f"{self.write.operand(key)}, " for key in branch.keys)
        self.out.line(f"PUT(m, ({keys}), {value}, {branch.member}, {span})", branch.span)


def _run_for(unit: Unit) -> Any:
    """All that is run for a unit."""
    return unit.shared, unit.definitions, tuple(family.branch for family in unit.families), unit.default


def same_constant(unit: Unit) -> bool:
    """Whether all definitions give one constant, so that the first to hold settles the value."""
    values = [branch.value for definition in unit.definitions for branch in definition.branches]
    values += [family.branch.value for family in unit.families]
    first = values[0] if values else None
    if not isinstance(first, Constant) or type(first.value) not in (str, bool, int):
        return False
    same = (type(first.value), first.value)
    return all(isinstance(value, Constant) and (type(value.value), value.value) == same for value in values)


_KINDS: Final[dict[str, Callable[[UnitWriter, str, Unit], None]]] = {
    COMPLETE: UnitWriter._value_unit,
    FUNCTION: UnitWriter._value_unit,
    PARTIAL_SET: UnitWriter._set_unit,
    PARTIAL_OBJECT: UnitWriter._object_unit,
}
