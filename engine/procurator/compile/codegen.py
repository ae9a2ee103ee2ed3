"""From the plan to Python: one function a unit, one for the query.

A step that can fail opens an `if` or a loop, and what follows it is written inside; so the code needs neither jumps nor
exceptions, and a failed attempt simply falls out of the nest. Values enter by name, never as text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from procurator.compile.plan import (
    COMPLETE,
    FUNCTION,
    PARTIAL_SET,
    Base,
    Block,
    Branch,
    CallBuiltin,
    CallUnit,
    Compare,
    Comprehend,
    Compute,
    Constant,
    Defined,
    Definition,
    Document,
    Either,
    ForEvery,
    Get,
    Input,
    IsArray,
    IsObject,
    MakeArray,
    MakeObject,
    MakeSet,
    Name,
    Negation,
    Operand,
    Optional,
    Print,
    Program,
    Register,
    Replace,
    Replacement,
    Scan,
    Source,
    Template,
    Truthy,
    Unit,
    UnitKey,
    UnitValue,
)
from procurator.compile.writer import Writer
from procurator.runtime.support import HEADER
from procurator_rules.spans import NO_SPAN, Span

MAX_LOOPS: Final = 12
"""Loops that one Python function may nest; Python itself allows twenty blocks."""

MAX_INDENT: Final = 60
"""Levels of indentation in one function; Python allows a hundred."""

LITERAL_TESTS: Final = {True: "{0} is True", False: "{0} is False", None: "{0} is None"}

ORDERS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


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


@dataclass(frozen=True, slots=True)
class Settings:
    """What code is generated for.

    Attributes:
        traced: whether the numbers of the rules that hold are recorded.
        limited: whether steps are counted.
        prints: whether `print` does anything.
        contextual: the built-ins that take the evaluation before their operands.
    """

    traced: bool = False
    limited: bool = False
    prints: bool = False
    contextual: frozenset[str] = frozenset()


Done = Callable[[], None]


@dataclass(slots=True)
class Nest:
    """Where in the nest of ifs and loops the writing is.

    Attributes:
        loops: depths of the loops that the current block has opened.
        total_loops: loops open in the current Python function.
        assigned: names that what is written last assigns, which an outlined function has to declare.
        ordered: whether members have to come in Rego's order.
        outlined: whether the current Python function is only a part of its unit's.
    """

    loops: list[int] = field(default_factory=list)
    total_loops: int = 0
    assigned: tuple[str, ...] = ()
    ordered: bool = False
    outlined: bool = False


class Generator:
    """Writes the code of one program."""

    def __init__(self, program: Program, settings: Settings) -> None:
        self.program = program
        self.settings = settings
        self.out = Writer()
        self.units = {key: f"u{number}" for number, key in enumerate(program.units)}
        self.documents = {document: f"d{number}" for number, document in enumerate(program.documents)}
        self.places: dict[Name, int] = {}
        self.bases: dict[tuple[str, ...], str] = {}
        self.builtins: dict[str, tuple[str, Span]] = {}
        self.nest = Nest()
        self.flags = 0
        self.is_entry = False
        self._find_replacements()
        self.kept = HEADER + len(self.places)
        self.memo = {
            name: self.kept + number for number, name in enumerate((*self.units.values(), *self.documents.values()))
        }
        self.size = self.kept + len(self.memo)

    def _find_replacements(self) -> None:
        names: set[Name] = set()
        for key in self.program.units:
            names |= {*key.variant.documents, *key.variant.values}
        for document in self.program.documents:
            names |= {*document.variant.documents, *document.variant.values}
        waiting = [self.program.entry, *_blocks_of(self.program)]
        while waiting:
            for step in waiting.pop():
                if isinstance(step, Replace):
                    names |= {name for name, _ in step.values}
                waiting += _inner_blocks(step)
        self.places = {name: HEADER + number for number, name in enumerate(sorted(names))}

    def generate(self) -> Code:
        """The code of the program: functions `u0`, `u1`, … for units and `query` for the entry."""
        for key, unit in self.program.units.items():
            self._unit(self.units[key], unit)
        for document, name in self.documents.items():
            self._document(name, document)
        self._entry()
        self._query()
        bases = {name: path for path, name in self.bases.items()}
        text, line_map = self.out.source()
        return Code(text, line_map, self.out.constants, bases, self.builtins, self.size)

    # Units

    def _unit(self, name: str, unit: Unit) -> None:
        out = self.out
        parameters = "".join(f", {self._operand(register)}" for register in unit.parameters)
        shared = "".join(f", {self._operand(step.target)}" for step in unit.shared)
        for number, definition in enumerate(unit.definitions):
            if len(definition.branches) > 1:
                self._chain(f"{name}_{number}", definition, unit, parameters + shared)
        with out.function(name, f"c0{parameters}", unit.span):
            if unit.kind != FUNCTION:
                out.line(f"r = c0[{self.memo[name]}]")
                with out.block("if r is not Z:"):
                    out.line("return r")
            self._body(name, unit)

    def _body(self, name: str, unit: Unit) -> None:
        for step in unit.shared:
            assert isinstance(step.value, Get)  # noqa: S101  # only look-ups are shared
            self._look_up(self._operand(step.target), step.value, step.span)
        _KINDS[unit.kind](self, name, unit)

    def _value_unit(self, name: str, unit: Unit) -> None:
        """A complete document or a function: the one value its definitions agree on."""
        out = self.out
        early = self._same_constant(unit)
        out.line("r = U")
        for number, definition in enumerate(unit.definitions):
            self._enter_attempt(("r",))
            if len(definition.branches) > 1:
                registers = (*unit.parameters, *(step.target for step in unit.shared))
                call = ", ".join(["c0", *map(self._operand, registers)])
                out.line(f"v = {name}_{number}({call})")
                with out.block("if v is not U:"):
                    self._merge("v", unit, definition.span)
                continue
            branch = definition.branches[0]
            depth = out.depth
            self._block(branch.block, lambda b=branch, d=definition: self._yield(b, d, unit, early))  # type: ignore[misc]
            out.depth = depth
        if unit.default is not None:
            default = unit.default
            with out.block("if r is U:"):
                self._enter_attempt(("r",))
                self._block(default.block, lambda: out.line(f"r = {self._operand(default.value)}"))
        self._keep(name, unit)

    def _same_constant(self, unit: Unit) -> bool:
        """Whether all definitions give one constant, so that the first to hold settles the value."""
        values = [branch.value for definition in unit.definitions for branch in definition.branches]
        if not all(isinstance(value, Constant) and type(value.value) in (str, bool, int) for value in values):
            return False
        return len({(type(value.value), value.value) for value in values}) == 1  # type: ignore[union-attr]  # see above

    def _yield(self, branch: Branch, definition: Definition, unit: Unit, early: bool) -> None:
        self._trace(definition)
        value = self._operand(branch.value)
        if early:
            self.out.line(f"r = {value}")
            if not self.nest.outlined:
                self._keep(self.units[unit.key], unit)
            return
        self._merge(value, unit, branch.span)

    def _merge(self, value: str, unit: Unit, span: Span) -> None:
        out = self.out
        kind = "function" if unit.kind == FUNCTION else "complete"
        with out.block("if r is U:"):
            out.line(f"r = {value}")
        with out.block("else:"):
            out.line(f"merge(r, {value}, {out.constant(kind)}, {self._span(span)})")

    def _keep(self, name: str, unit: Unit) -> None:
        if unit.kind != FUNCTION and not self.is_entry:
            self.out.line(f"c0[{self.memo[name]}] = r")
        self.out.line("return r")

    def _chain(self, name: str, definition: Definition, unit: Unit, parameters: str) -> None:
        """A rule with `else`: a function that gives the value of the first branch that holds."""
        out = self.out
        with out.function(name, f"c0{parameters}", definition.span):
            out.line("r = U")
            for branch in definition.branches:
                self._enter_attempt(("r",))
                depth = out.depth
                self._block(branch.block, lambda b=branch: self._yield(b, definition, unit, False))  # type: ignore[misc]
                out.depth = depth
                with out.block("if r is not U:"):
                    out.line("return r")
            out.line("return U")

    def _set_unit(self, name: str, unit: Unit) -> None:
        out = self.out
        out.line("m = {}")
        for definition in unit.definitions:
            for branch in definition.branches:
                self._enter_attempt(())
                depth = out.depth
                self._block(branch.block, lambda b=branch, d=definition: self._add_member(b, d))  # type: ignore[misc]
                out.depth = depth
        out.line("r = SETOF(m)")
        self._keep(name, unit)

    def _add_member(self, branch: Branch, definition: Definition) -> None:
        self._trace(definition)
        value = self._operand(branch.value)
        self.out.line(f"m.setdefault({self._key(branch.value)}, {value})", branch.span)

    def _object_unit(self, name: str, unit: Unit) -> None:
        """A partial object, or all rules at and below an open path."""
        out = self.out
        out.line("m = NEST()")
        for definition in unit.definitions:
            if len(definition.branches) > 1:
                self._object_chain(definition)
                continue
            self._enter_attempt(())
            depth = out.depth
            self._block(definition.branches[0].block, lambda d=definition: self._put(d.branches[0], d))  # type: ignore[misc]
            out.depth = depth
        out.line("r = FINISHED(m)")
        self._keep(name, unit)

    def _object_chain(self, definition: Definition) -> None:
        out = self.out
        depth = out.depth
        flag = self._flag()
        out.line(f"{flag} = False")
        for number, branch in enumerate(definition.branches):
            self._enter_attempt((flag,))
            if number:
                out.open(f"if not {flag}:")

            def done(branch: Branch = branch) -> None:
                self._put(branch, definition)
                out.line(f"{flag} = True")

            self._block(branch.block, done)
            out.depth = depth

    def _put(self, branch: Branch, definition: Definition) -> None:
        self._trace(definition)
        keys = "".join(f"{self._operand(key)}, " for key in branch.keys)
        value = self._operand(branch.value)
        if not branch.keys and not branch.member:
            self.out.line(f"PUTALL(m, {value}, {self._span(branch.span)})", branch.span)
            return
        self.out.line(f"PUT(m, ({keys}), {value}, {branch.member}, {self._span(branch.span)})", branch.span)

    def _trace(self, definition: Definition) -> None:
        if self.settings.traced:
            self.out.line(f"{'t0' if self.is_entry else 'c0[3]'}.append({definition.rule})")

    def _document(self, name: str, document: Document) -> None:
        plan = self.program.documents[document]
        out = self.out
        objects = out.named("k", plan.objects)
        units = "".join(f"({out.constant(path)}, {self.units[key]}), " for path, key in plan.units)
        replaced = "".join(f"({out.constant(path)}, {self.places[target]}), " for path, target in plan.replaced)
        with out.function(name, "c0"):
            out.line(f"r = c0[{self.memo[name]}]")
            with out.block("if r is Z:"):
                out.line(f"r = DOCUMENT({self._base(document.path)}, {objects}, ({units}), ({replaced}), c0)")
                out.line(f"c0[{self.memo[name]}] = r")
            out.line("return r")

    def _entry(self) -> None:
        """The function behind a prepared term: the unit it names, without a context unless it needs one."""
        key = entry_unit(self.program)
        if key is None:
            return
        unit = self.program.units[key]
        trace = ", t0" if self.settings.traced else ""
        self.is_entry = True
        with self.out.function("entry", f"self, i0=U{trace}", unit.span, f"c0 = CONTEXT(i0{trace})"):
            with self.out.block("try:"):
                self._body(self.units[key], unit)
            with self.out.block("except FAILURES as e:"):
                self.out.line("raise FAILED(e) from None")
        self.is_entry = False

    def _query(self) -> None:
        with self.out.function("query", "c0, found"):
            self._enter_attempt(())
            self.nest.ordered = True
            self._block(self.program.entry, self._row)

    def _row(self) -> None:
        row = "".join(f"{self._operand(operand)}, " for _, operand in self.program.outputs)
        self.out.line(f"found(({row}))")

    # Blocks

    def _enter_attempt(self, assigned: tuple[str, ...]) -> None:
        self.nest = Nest(assigned=assigned)

    def _block(self, block: Block, done: Done) -> None:
        """Write the steps of a block, each inside the one before, and what is to be done when all have held.

        The caller restores the depth.
        """
        for place, step in enumerate(block):
            if self.nest.total_loops >= MAX_LOOPS or self.out.depth >= MAX_INDENT:
                self._outline(block[place:], done)
                return
            _STEPS[type(step)](self, step)
        done()

    def _outline(self, rest: Block, done: Done) -> None:
        """Write the rest of a block as a function of its own: Python nests only so deep."""
        outer = self.nest
        self.flags += 1
        with self.out.outlined(f"o{self.flags}", outer.assigned):
            self.nest = Nest([], 0, outer.assigned, outer.ordered, outlined=True)
            self._block(rest, done)
        self.nest = outer

    def _flagged(self, block: Block, flag: str, value: str) -> None:
        """Write a block that sets a flag when it succeeds and is then left as soon as possible."""
        out, outer = self.out, self.nest
        depth = out.depth
        self.nest = Nest([], outer.total_loops, (flag,), outer.ordered, outer.outlined)

        def done() -> None:
            out.line(f"{flag} = {value}")
            loops = self.nest.loops
            if loops:
                out.line("break")
            for loop in reversed(loops[1:]):
                out.line_at(loop, f"if {flag} is {value}:")
                out.line_at(loop + 1, "break")

        self._block(block, done)
        self.nest = outer
        out.depth = depth

    def _flag(self) -> str:
        self.flags += 1
        return f"f{self.flags}"

    # Steps

    def _compute(self, step: Compute) -> None:
        target = self._operand(step.target)
        _COMPUTATIONS[type(step.value)](self, target, step.value, step.span)

    def _when_defined(self, target: str) -> None:
        self.out.open(f"if {target} is not U:")

    def _get(self, target: str, value: Get, span: Span) -> None:
        self._look_up(target, value, span)
        self._when_defined(target)

    def _look_up(self, target: str, value: Get, span: Span) -> None:
        source = self._source(value.source)
        if not value.keys:
            self.out.line(f"{target} = {source}", span)
            return
        text = source
        for key in value.keys:
            if isinstance(key, Constant) and type(key.value) is str:
                text = f"{text}[{self._operand(key)}]"
            else:
                base = isinstance(value.source, Base) and isinstance(key, Constant)
                text = f"{'LOOKUP_BASE' if base else 'LOOKUP'}({text}, {self._operand(key)})"
        with self.out.block("try:"):
            self.out.line(f"{target} = {text}", span)
        with self.out.block("except MISSING:"):
            self.out.line(f"{target} = U")

    def _call_unit(self, target: str, value: CallUnit, span: Span) -> None:
        args = ", ".join([f"c{value.frame}", *(self._operand(arg) for arg in value.args)])
        self.out.line(f"{target} = {self.units[value.unit]}({args})", span)
        self._when_defined(target)

    def _call_builtin(self, target: str, value: CallBuiltin, span: Span) -> None:
        name = f"b{len(self.builtins)}"
        self.builtins[name] = (value.name, value.span)
        evaluation = ["c0[1]"] if value.name in self.settings.contextual else []
        args = ", ".join([*evaluation, *(self._operand(arg) for arg in value.args)])
        self.out.line(f"{target} = {name}({args})", span)
        self._when_defined(target)

    def _make_array(self, target: str, value: MakeArray, span: Span) -> None:
        self.out.line(f"{target} = [{', '.join(map(self._operand, value.items))}]", span)

    def _make_set(self, target: str, value: MakeSet, span: Span) -> None:
        self.out.line(f"{target} = SET([{', '.join(map(self._operand, value.items))}])", span)

    def _make_object(self, target: str, value: MakeObject, span: Span) -> None:
        pairs = ", ".join(f"{self._key(key)}: {self._operand(member)}" for key, member in value.items)
        self.out.line(f"{target} = {{{pairs}}}", span)

    def _comprehend(self, target: str, value: Comprehend, span: Span) -> None:
        out, outer = self.out, self.nest
        depth = out.depth
        out.line(f"{target} = {'[]' if value.kind == 'array' else '{}'}", span)
        self.nest = Nest([], outer.total_loops, (), value.kind == "array", outer.outlined)
        self._block(value.block, lambda: self._collect(target, value))
        self.nest = outer
        out.depth = depth
        if value.kind == "set":
            out.line(f"{target} = SETOF({target})")

    def _collect(self, target: str, value: Comprehend) -> None:
        member = self._operand(value.value)
        if value.kind == "array":
            self.out.line(f"{target}.append({member})")
        elif value.kind == "set":
            self.out.line(f"{target}.setdefault({self._key(value.value)}, {member})")
        else:
            assert value.key is not None  # noqa: S101  # objects have keys
            self.out.line(f"PUTONE({target}, {self._operand(value.key)}, {member}, {self._span(value.span)})")

    def _template(self, target: str, value: Template, span: Span) -> None:
        parts = [
            self._optional(part) if isinstance(part, Optional) else self.out.constant(part) for part in value.parts
        ]
        self.out.line(f"{target} = TEMPLATE([{', '.join(parts)}])", span)
        self._when_defined(target)

    def _optional(self, part: Optional) -> str:
        """The name that holds a set of the value, empty when that is undefined."""
        out, outer = self.out, self.nest
        name = self._flag()
        depth = out.depth
        out.line(f"{name} = []")
        self.nest = Nest([], outer.total_loops, (), True, outer.outlined)
        self._block(part.block, lambda: out.line(f"{name}.append({self._operand(part.value)})"))
        self.nest = outer
        out.depth = depth
        return f"SET({name})"

    def _print(self, step: Print) -> None:
        if self.settings.prints:
            parts = ", ".join([self._optional(part) for part in step.parts])
            self.out.line(f"PRINT(c0[1], [{parts}], {self._span(step.span)})", step.span)

    def _truthy(self, step: Truthy) -> None:
        if not isinstance(step.operand, Constant) or step.operand.value is False:
            self.out.open(f"if {self._operand(step.operand)} is not False:", step.span)

    def _compare(self, step: Compare) -> None:
        self.out.open(f"if {self._comparison(step)}:", step.span)

    def _comparison(self, step: Compare) -> str:
        left, right = self._operand(step.left), self._operand(step.right)
        order = ORDERS.get(step.operator)
        if order is not None:
            return f"COMPARE({left}, {right}) {order} 0"
        equals = self._equality(step, left, right)
        return equals if step.operator == "equal" else f"not ({equals})"

    def _equality(self, step: Compare, left: str, right: str) -> str:
        for constant, text, other in ((step.left, left, right), (step.right, right, left)):
            if isinstance(constant, Constant):
                kind = type(constant.value)
                if kind is str:
                    return f"{other} == {text}"
                if kind in (bool, type(None)):
                    return LITERAL_TESTS[constant.value].format(other)
        return f"({left} == {right} if type({left}) is str else EQUAL({left}, {right}))"

    def _is_array(self, step: IsArray) -> None:
        operand = self._operand(step.operand)
        self.out.open(f"if isinstance({operand}, list) and len({operand}) == {step.length}:", step.span)

    def _is_object(self, step: IsObject) -> None:
        operand = self._operand(step.operand)
        self.out.open(f"if isinstance({operand}, dict) and len({operand}) == {step.length}:", step.span)

    def _scan(self, step: Scan) -> None:
        out = self.out
        source = self._source(step.source)
        if step.keys or not isinstance(step.source, Register):
            name = self._flag()
            self._get(name, Get(step.source, step.keys), step.span)
            source = name
        kind = "SORTED_" if self.nest.ordered else ""
        if step.key is None:
            value = self._operand(step.value) if step.value is not None else "_"
            header = f"for {value} in {kind}MEMBERS({source}):"
        else:
            value = self._operand(step.value) if step.value is not None else "_"
            header = f"for {self._operand(step.key)}, {value} in {kind}ENTRIES({source}):"
        self._charge(source)
        self.nest.loops.append(out.depth)
        self.nest.total_loops += 1
        out.open(header, step.span)

    def _charge(self, collection: str) -> None:
        if self.settings.limited:
            self.out.line(f"CHARGE(c0, {collection})")

    def _negation(self, step: Negation) -> None:
        flag = self._flag()
        self.out.line(f"{flag} = True", step.span)
        self._flagged(step.block, flag, "False")
        self.out.open(f"if {flag}:")

    def _either(self, step: Either) -> None:
        out = self.out
        flag = self._flag()
        out.line(f"{flag} = False", step.span)
        depth = out.depth
        for number, block in enumerate(step.blocks):
            if number:
                out.open(f"if not {flag}:")
            self._flagged(block, flag, "True")
            out.depth = depth
        out.open(f"if {flag}:")

    def _for_every(self, step: ForEvery) -> None:
        out = self.out
        members, flag = self._flag(), self._flag()
        out.line(f"{members} = DOMAIN({self._operand(step.domain)})", step.span)
        out.open(f"if {members} is not None:")
        out.line(f"{flag} = True")
        self._charge(self._operand(step.domain))
        names = [self._operand(name) if name is not None else "_" for name in (step.key, step.value)]
        self.nest.total_loops += 1
        with out.block(f"for {', '.join(names)} in {members}:"):
            out.line(f"{flag} = False")
            self._flagged(step.block, flag, "True")
            with out.block(f"if not {flag}:"):
                out.line("break")
        self.nest.total_loops -= 1
        out.open(f"if {flag}:")

    def _replace(self, step: Replace) -> None:
        inputs = "".join(f"({self.out.constant(path)}, {self._operand(value)}), " for path, value in step.inputs)
        values = "".join(f"({self.places[name]}, {self._operand(value)}), " for name, value in step.values)
        frame = f"FRAME(c{step.parent}, {self.kept}, {self.size}, ({inputs}), ({values}))"
        self.out.line(f"c{step.frame} = {frame}", step.span)

    # Operands and sources

    def _operand(self, operand: Operand) -> str:
        return f"v{operand.number}" if isinstance(operand, Register) else self.out.constant(operand.value)

    def _key(self, operand: Operand) -> str:
        """The canonical key of an operand."""
        if isinstance(operand, Constant) and type(operand.value) is str:
            return self._operand(operand)
        text = self._operand(operand)
        return f"({text} if type({text}) is str else KEY({text}))"

    def _source(self, source: Source) -> str:
        return _SOURCES[type(source)](self, source)

    def _base(self, path: tuple[str, ...]) -> str:
        if path not in self.bases:
            self.bases[path] = f"B{len(self.bases)}"
        return self.bases[path]

    def _span(self, span: Span) -> str:
        return self.out.named("s", span) if span is not NO_SPAN else "NO_SPAN"


def _input_source(generator: Generator, source: Input) -> str:
    return "i0" if generator.is_entry and source.frame == 0 else f"c{source.frame}[0]"


def _document_source(generator: Generator, source: Document) -> str:
    name = generator.documents[Document(source.path, 0, source.variant)]
    return f"{name}(c{source.frame})"


def _inner_blocks(step: Any) -> list[Block]:
    if isinstance(step, Compute):
        return _inner_blocks(step.value)
    if isinstance(step, Template | Print):
        return [part.block for part in step.parts if isinstance(part, Optional)]
    if isinstance(step, Either):
        return list(step.blocks)
    block = getattr(step, "block", None)
    return [] if block is None else [block]


def _blocks_of(program: Program) -> Sequence[Block]:
    return [
        branch.block
        for unit in program.units.values()
        for definition in unit.definitions
        for branch in definition.branches
    ]


_KINDS: Final[dict[str, Callable[[Generator, str, Unit], None]]] = {
    COMPLETE: Generator._value_unit,
    FUNCTION: Generator._value_unit,
    PARTIAL_SET: Generator._set_unit,
    "object": Generator._object_unit,
}

_STEPS: Final[dict[type, Callable[[Generator, Any], None]]] = {
    Compute: Generator._compute,
    Defined: lambda generator, step: generator._when_defined(generator._operand(step.operand)),
    Truthy: Generator._truthy,
    Compare: Generator._compare,
    IsArray: Generator._is_array,
    IsObject: Generator._is_object,
    Scan: Generator._scan,
    Negation: Generator._negation,
    ForEvery: Generator._for_every,
    Either: Generator._either,
    Replace: Generator._replace,
    Print: Generator._print,
}

_COMPUTATIONS: Final[dict[type, Callable[[Generator, str, Any, Span], None]]] = {
    Get: Generator._get,
    CallUnit: Generator._call_unit,
    CallBuiltin: Generator._call_builtin,
    MakeArray: Generator._make_array,
    MakeSet: Generator._make_set,
    MakeObject: Generator._make_object,
    Comprehend: Generator._comprehend,
    Template: Generator._template,
}

_SOURCES: Final[dict[type, Callable[[Generator, Any], str]]] = {
    Register: Generator._operand,
    Constant: Generator._operand,
    Input: _input_source,
    Base: lambda generator, source: generator._base(source.path),
    Document: _document_source,
    UnitValue: lambda generator, source: f"{generator.units[source.unit]}(c{source.frame})",
    Replacement: lambda generator, source: f"c{source.frame}[{generator.places[source.name]}]",
}


def entry_unit(program: Program) -> UnitKey | None:
    """The unit whose value is all that a program computes; None for any other query."""
    if len(program.entry) != 1 or len(program.outputs) != 1:
        return None
    step = program.entry[0]
    if not (isinstance(step, Compute) and isinstance(step.value, Get) and not step.value.keys):
        return None
    source = step.value.source
    return source.unit if isinstance(source, UnitValue) and source.frame == 0 else None


def generate(program: Program, settings: Settings) -> Code:
    """The code of a program."""
    return Generator(program, settings).generate()
