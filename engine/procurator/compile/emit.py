"""Writing blocks: a step that can fail opens an `if` or a loop, and what follows it is written inside.

So the code needs neither jumps nor exceptions, and a failed attempt simply falls out of the nest. What is known of base
documents spares guards; a shared look-up is checked only where its being undefined would make a difference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from procurator.compile.cost import GROWING, HEAVY
from procurator.compile.inlined import INLINED, equality, order
from procurator.compile.plan import (
    Base,
    Block,
    CallBuiltin,
    CallUnit,
    Compare,
    Comprehend,
    Compute,
    Constant,
    Defined,
    Document,
    Either,
    ForEvery,
    Get,
    Held,
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
    Register,
    Replace,
    Replacement,
    Scan,
    Source,
    Step,
    Template,
    Truthy,
    UnitKey,
    UnitValue,
)
from procurator.compile.rewrite import parts
from procurator.compile.shapes import ANY, STRING, Shape
from procurator.compile.writer import Writer
from procurator_rules.spans import NO_SPAN, Span

MAX_LOOPS: Final = 12
"""Loops that one Python function may nest; Python itself allows twenty blocks."""

MAX_INDENT: Final = 60
"""Levels of indentation in one function; Python allows a hundred."""

Done = Callable[[], None]


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
class Nest:
    """Where in the nest of ifs and loops the writing is.

    Attributes:
        loops: depths of the loops that the current block has opened.
        total_loops: loops open in the current Python function.
        assigned: names that what is written last assigns, which an outlined function has to give back.
        ordered: whether members have to come in Rego's order.
        outlined: whether the current Python function is only a part of its unit's.
    """

    loops: list[int] = field(default_factory=list)
    total_loops: int = 0
    assigned: tuple[str, ...] = ()
    ordered: bool = False
    outlined: bool = False


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


class BlockWriter:
    """Writes blocks of one program.

    Attributes:
        nest: where the writing is.
        local_input: whether the input is a parameter of the function being written.
        shapes: what is known of the values in registers of the unit being written.
        waiting: shared look-ups of the unit that have not been written yet.
        unchecked: shared registers that nothing has found to be defined yet.
        certain: the rules that have held wherever the writing is now, while none has to be recorded at run time.
        implied: for a shared register, those that are defined whenever it is.
    """

    def __init__(self, out: Writer, names: Names, settings: Settings) -> None:
        self.out = out
        self.names = names
        self.settings = settings
        self.nest = Nest()
        self.local_input = False
        self.shapes: dict[Register, Shape] = {}
        self.waiting: dict[Register, Compute] = {}
        self.unchecked: dict[Register, None] = {}
        self.implied: dict[Register, set[Register]] = {}
        self.certain: list[int] | None = None
        self.outlines = 0
        self._flags = 0

    # Blocks

    def begin_unit(self, shared: tuple[Compute, ...]) -> None:
        """Forget what was known of the last unit's registers."""
        self.shapes, self.implied, self.unchecked = {}, {}, {}
        self.waiting = {step.target: step for step in shared}

    def share(self, part: Any) -> None:
        """Write the shared look-ups that a part of the unit is the first to use."""
        if self.waiting:
            for used in parts(part):
                if isinstance(used, Register) and used in self.waiting:
                    self._share(self.waiting.pop(used))

    def share_all(self) -> None:
        """Write all shared look-ups that are still waiting."""
        for target in tuple(self.waiting):
            if target in self.waiting:
                self._share(self.waiting.pop(target))

    def _share(self, step: Compute) -> None:
        assert isinstance(step.value, Get)  # noqa: S101  # only look-ups are shared
        self.share(step.value)
        self._look_up(step.target, step.value, step.span)
        above = {key for key in step.value.keys if isinstance(key, Register)}
        self.implied[step.target] = above.union(*(self.implied.get(key, set()) for key in above))

    def attempt(
        self, block: Block, done: Done, assigned: tuple[str, ...] = (), ordered: bool = False, *, loops: int = 0
    ) -> None:
        """Write a block on its own, and what is to be done when all its steps have held; restores the depth.

        Args:
            block: its steps.
            done: writes what is to be done.
            assigned: the variables that it sets.
            ordered: whether members have to come in Rego's order.
            loops: how many loops the block stands in already.
        """
        self.share(block)
        depth = self.out.depth
        self.nest = Nest(total_loops=loops, assigned=assigned, ordered=ordered)
        self.unchecked = {}
        if self.certain is not None:
            self.certain = []
        self._block(block, done)
        self.out.depth = depth

    def _block(self, block: Block, done: Done) -> None:
        place = 0
        while place < len(block):
            if self.nest.total_loops >= MAX_LOOPS or self.out.depth >= MAX_INDENT:
                self._outline(block[place:], done)
                return
            step = block[place]
            following = block[place + 1] if place + 1 < len(block) else None
            self._check_before(step)
            if self._is_condition(step, following):
                place += 2
                continue
            _STEPS[type(step)](self, step)
            place += 1
        for register in tuple(self.unchecked):
            self.check(register)
        done()

    def _check_before(self, step: Step) -> None:
        """Check the shared registers that a step uses, but for those whose being undefined makes it fail anyway."""
        if not self.unchecked or isinstance(step, Defined):
            return
        spared = self._spared(step)
        for part in parts(step):
            if isinstance(part, Register) and part in self.unchecked and part not in spared:
                self.check(part)
        for register in spared:
            self.defined(register)

    def _spared(self, step: Step) -> tuple[Register, ...]:
        if isinstance(step, Compare) and step.operator == "equal":
            for one, other in ((step.left, step.right), (step.right, step.left)):
                if isinstance(one, Register) and one in self.unchecked and self.shape(other) is STRING:
                    return (one,)
        if isinstance(step, Compute) and isinstance(step.value, Get) and len(step.value.keys) == 1:
            key, source = step.value.keys[0], step.value.source
            if isinstance(source, Base) and isinstance(key, Register) and key in self.unchecked:
                return (key,)
        return ()

    def check(self, register: Register) -> None:
        """Write what follows for the case that a shared look-up found something."""
        if register in self.unchecked:
            self.out.open(f"if {self.operand(register)} is not U:")
            self.defined(register)

    def defined(self, register: Register) -> None:
        """Note that a register is defined from here on."""
        for one in (register, *self.implied.get(register, ())):
            self.unchecked.pop(one, None)

    def _outline(self, rest: Block, done: Done) -> None:
        """Write the rest of a block as a function of its own: Python nests only so deep."""
        outer = self.nest
        self.outlines += 1
        with self.out.outlined(f"o{self.outlines}", outer.assigned):
            self.nest = Nest([], 0, outer.assigned, outer.ordered, outlined=True)
            self._block(rest, done)
        self.nest = outer

    def _inner(self, block: Block, done: Done, assigned: tuple[str, ...] = (), ordered: bool = False) -> None:
        """Write a block inside another; restores depth and what is known."""
        outer, unchecked, depth = self.nest, dict(self.unchecked), self.out.depth
        self.nest = Nest([], outer.total_loops, assigned, ordered, outer.outlined)
        self._block(block, done)
        self.nest, self.unchecked, self.out.depth = outer, unchecked, depth

    def _flagged(self, block: Block, flag: str, value: str) -> None:
        """Write a block that sets a flag when it succeeds and is then left as soon as possible."""
        out = self.out

        def done() -> None:
            out.line(f"{flag} = {value}")
            loops = self.nest.loops
            if loops:
                out.line("break")
            for loop in reversed(loops[1:]):
                out.line_at(loop, f"if {flag} is {value}:")
                out.line_at(loop + 1, "break")

        self._inner(block, done, (flag,), self.nest.ordered)

    def flag(self) -> str:
        """A new variable that is no register."""
        self._flags += 1
        return f"f{self._flags}"

    # Computations

    def _compute(self, step: Compute) -> None:
        _COMPUTATIONS[type(step.value)](self, step.target, step.value, step.span)

    def _is_condition(self, step: Step, following: Step | None) -> bool:
        """Write a call whose truth alone matters as a condition, where it has a form in Python; whether it has."""
        if not (isinstance(step, Compute) and isinstance(following, Truthy) and following.operand == step.target):
            return False
        value = step.value
        if not isinstance(value, CallBuiltin) or value.name not in INLINED:
            return False
        text = INLINED[value.name](self, value)
        if text is None:
            return False
        self.out.open(f"if {text}:", step.span)
        return True

    def _when_defined(self, target: Register) -> None:
        self.out.open(f"if {self.operand(target)} is not U:")

    def _get(self, target: Register, value: Get, span: Span) -> None:
        if self._look_up(target, value, span):
            self._when_defined(target)

    def _look_up(self, target: Register, value: Get, span: Span) -> bool:
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

    def _call_unit(self, target: Register, value: CallUnit, span: Span) -> None:
        args = ", ".join([f"c{value.frame}", *map(self.operand, value.args)])
        self.out.line(f"{self.operand(target)} = {self.names.units[value.unit]}({args})", span)
        self._when_defined(target)

    def call_text(self, value: CallBuiltin) -> str:
        """The call of a built-in as it stands in the table."""
        name = f"b{len(self.names.builtins)}"
        self.names.builtins[name] = (value.name, value.span)
        evaluation = ["c0[1]"] if value.name in self.settings.contextual else []
        return f"{name}({', '.join([*evaluation, *map(self.operand, value.args)])})"

    def _metered(self, name: str, call: str, span: Span) -> str:
        """A call of a built-in, counted if it takes long or what it makes can grow without end."""
        if self.settings.limited and name in HEAVY:
            self.out.line("t1.look()", span)
        return f"t1.grown({call})" if self.settings.limited and name in GROWING else call

    def _call_builtin(self, target: Register, value: CallBuiltin, span: Span) -> None:
        self.out.line(f"{self.operand(target)} = {self._metered(value.name, self.call_text(value), span)}", span)
        self._when_defined(target)

    def _make_array(self, target: Register, value: MakeArray, span: Span) -> None:
        self.out.line(f"{self.operand(target)} = [{', '.join(map(self.operand, value.items))}]", span)

    def _make_set(self, target: Register, value: MakeSet, span: Span) -> None:
        self.out.line(f"{self.operand(target)} = SET([{', '.join(map(self.operand, value.items))}])", span)

    def _make_object(self, target: Register, value: MakeObject, span: Span) -> None:
        pairs = ", ".join(f"{self.key(key)}: {self.operand(member)}" for key, member in value.items)
        self.out.line(f"{self.operand(target)} = {{{pairs}}}", span)

    def _comprehend(self, target: Register, value: Comprehend, span: Span) -> None:
        name = self.operand(target)
        self.out.line(f"{name} = {'[]' if value.kind == 'array' else '{}'}", span)
        self._inner(value.block, lambda: self._collect(name, value), (), value.kind == "array")
        if value.kind == "set":
            self.out.line(f"{name} = SETOF({name})")

    def _collect(self, name: str, value: Comprehend) -> None:
        member = self.operand(value.value)
        if value.kind == "array":
            self.out.line(f"{name}.append({member})")
        elif value.key is None:
            self.out.line(f"{name}.setdefault({self.key(value.value)}, {member})")
        else:
            self.out.line(f"PUTONE({name}, {self.operand(value.key)}, {member}, {self.span(value.span)})")

    def _template(self, target: Register, value: Template, span: Span) -> None:
        texts = [
            self._optional(part) if isinstance(part, Optional) else self.out.constant(part) for part in value.parts
        ]
        call = CallBuiltin("internal.template_string", (), span=value.span)
        name = self.call_text(call).removesuffix("()")
        made = self._metered(call.name, f"{name}([{', '.join(texts)}])", span)
        self.out.line(f"{self.operand(target)} = {made}", span)
        self._when_defined(target)

    def _optional(self, part: Optional) -> str:
        """The set of the value's outcomes, empty when it is undefined."""
        name = self.flag()
        self.out.line(f"{name} = []")
        self._inner(part.block, lambda: self.out.line(f"{name}.append({self.operand(part.value)})"), (), True)
        return f"SET({name})"

    # Tests

    def _defined(self, step: Defined) -> None:
        self.unchecked[step.operand] = None

    def _truthy(self, step: Truthy) -> None:
        if not isinstance(step.operand, Constant) or step.operand.value is False:
            self.out.open(f"if {self.operand(step.operand)} is not False:", step.span)

    def _compare(self, step: Compare) -> None:
        text = order(self, step) if step.operator not in ("equal", "neq") else equality(self, step)
        self.out.open(f"if {text}:", step.span)

    def _is_array(self, step: IsArray) -> None:
        operand = self.operand(step.operand)
        self.out.open(f"if isinstance({operand}, list) and len({operand}) == {step.length}:", step.span)

    def _is_object(self, step: IsObject) -> None:
        operand = self.operand(step.operand)
        self.out.open(f"if isinstance({operand}, dict) and len({operand}) == {step.length}:", step.span)

    def _scan(self, step: Scan) -> None:
        out = self.out
        source, shape = self.source(step.source), self.shape(step.source)
        if step.keys or not isinstance(step.source, Register):
            found = Register(-1 - self._flags)
            self._flags += 1
            if self._look_up(found, Get(step.source, step.keys), step.span):
                self._when_defined(found)
            source, shape = self.operand(found), self.shapes[found]
        self._charge(source, shape, step.span)
        self.nest.loops.append(out.depth)
        self.nest.total_loops += 1
        out.open(f"{self._loop(step, source, shape)}:", step.span)

    def _loop(self, step: Scan, source: str, shape: Shape) -> str:
        value = self.operand(step.value) if step.value is not None else "_"
        if step.value is not None:
            self.shapes[step.value] = shape.member or ANY
        order = "SORTED_" if self.nest.ordered else ""
        if step.key is None:
            if shape.kind == "list":
                return f"for {value} in {source}"
            found = f"{order}MEMBERS({source})"
            if self.settings.limited:
                found = f"COUNTED(t1, {found})"
            return f"for {value} in ({source} if type({source}) is list else {found})"
        key = self.operand(step.key)
        if shape.kind == "dict":
            self.shapes[step.key] = STRING
            return f"for {key}, {value} in {f'sorted({source}.items(), key=FIRST)' if order else f'{source}.items()'}"
        if shape.kind == "list":
            return f"for {key}, {value} in enumerate({source})"
        return f"for {key}, {value} in {order}ENTRIES({source})"

    def _charge(self, collection: str, shape: Shape, span: Span) -> None:
        """Count the members that a loop is about to visit."""
        if not self.settings.limited:
            return
        if shape.kind in ("list", "dict"):
            self.spend(f"len({collection})", span)
            return
        with self.out.block(f"if type({collection}) is list:"):
            self.spend(f"len({collection})", span)
        with self.out.block("else:"):
            self.out.line(f"CHARGE(t1, {collection})", span)

    def spend(self, steps: str, span: Span) -> None:
        """Write that steps are taken; the meter is `t1`."""
        self.out.line(f"t1.left -= {steps}")
        with self.out.block("if t1.left < 0:"):
            self.out.line("t1.stop()", span)

    def _negation(self, step: Negation) -> None:
        flag = self.flag()
        self.out.line(f"{flag} = True", step.span)
        self._flagged(step.block, flag, "False")
        self.out.open(f"if {flag}:")

    def _either(self, step: Either) -> None:
        out = self.out
        flag = self.flag()
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
        members, flag = self.flag(), self.flag()
        out.line(f"{members} = DOMAIN({self.operand(step.domain)})", step.span)
        out.open(f"if {members} is not None:")
        out.line(f"{flag} = True")
        self._charge(self.operand(step.domain), ANY, step.span)
        names = [self.operand(name) if name is not None else "_" for name in (step.key, step.value)]
        self.nest.total_loops += 1
        with out.block(f"for {', '.join(names)} in {members}:"):
            out.line(f"{flag} = False")
            self._flagged(step.block, flag, "True")
            with out.block(f"if not {flag}:"):
                out.line("break")
        self.nest.total_loops -= 1
        out.open(f"if {flag}:")

    def _replace(self, step: Replace) -> None:
        inputs = "".join(f"({self.out.constant(path)}, {self.operand(value)}), " for path, value in step.inputs)
        values = "".join(f"({self.names.places[name]}, {self.operand(value)}), " for name, value in step.values)
        frame = f"FRAME(c{step.parent}, {self.names.kept}, {self.names.size}, ({inputs}), ({values}))"
        self.out.line(f"c{step.frame} = {frame}", step.span)

    def _held(self, step: Held) -> None:
        self.note(step.rule)

    def note(self, rule: int) -> None:
        """Record that a rule held: on the list of the trace, or among those certain wherever the writing is now."""
        if self.certain is not None:
            self.certain.append(rule)
        elif self.settings.traced:
            self.out.line(f"{'t0' if self.local_input else 'c0[3]'}.append({rule})")

    def _print(self, step: Print) -> None:
        if self.settings.prints:
            texts = ", ".join([self._optional(part) for part in step.parts])
            self.out.line(f"PRINT(c0[1], [{texts}], {self.span(step.span)})", step.span)

    # Operands and sources

    def operand(self, operand: Operand) -> str:
        """The code of an operand."""
        if isinstance(operand, Register):
            return f"v{operand.number}" if operand.number >= 0 else f"f{10000 - operand.number}"
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


def _input_source(writer: BlockWriter, source: Input) -> str:
    return "i0" if writer.local_input and source.frame == 0 else f"c{source.frame}[0]"


def _document_source(writer: BlockWriter, source: Document) -> str:
    name = writer.names.documents[Document(source.path, 0, source.variant)]
    return f"{name}(c{source.frame})"


_STEPS: Final[dict[type, Callable[[BlockWriter, Any], None]]] = {
    Compute: BlockWriter._compute,
    Defined: BlockWriter._defined,
    Truthy: BlockWriter._truthy,
    Compare: BlockWriter._compare,
    IsArray: BlockWriter._is_array,
    IsObject: BlockWriter._is_object,
    Scan: BlockWriter._scan,
    Negation: BlockWriter._negation,
    ForEvery: BlockWriter._for_every,
    Either: BlockWriter._either,
    Replace: BlockWriter._replace,
    Print: BlockWriter._print,
    Held: BlockWriter._held,
}

_COMPUTATIONS: Final[dict[type, Callable[[BlockWriter, Register, Any, Span], None]]] = {
    Get: BlockWriter._get,
    CallUnit: BlockWriter._call_unit,
    CallBuiltin: BlockWriter._call_builtin,
    MakeArray: BlockWriter._make_array,
    MakeSet: BlockWriter._make_set,
    MakeObject: BlockWriter._make_object,
    Comprehend: BlockWriter._comprehend,
    Template: BlockWriter._template,
}

_SOURCES: Final[dict[type, Callable[[BlockWriter, Any], str]]] = {
    Register: BlockWriter.operand,
    Constant: BlockWriter.operand,
    Input: _input_source,
    Base: lambda writer, source: writer.base(source.path),
    Document: _document_source,
    UnitValue: lambda writer, source: f"{writer.names.units[source.unit]}(c{source.frame})",
    Replacement: lambda writer, source: f"c{source.frame}[{writer.names.places[source.name]}]",
}
