"""Writing blocks: a step that can fail opens an `if` or a loop, and what follows it is written inside.

So the code needs neither jumps nor exceptions, and a failed attempt simply falls out of the nest. A shared look-up is
checked only where its being undefined would make a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from procurator.compile.inlined import INLINED
from procurator.compile.plan import (
    Base,
    Block,
    CallBuiltin,
    CallUnit,
    Compare,
    Comprehend,
    Compute,
    Defined,
    Document,
    Get,
    Held,
    Print,
    Register,
    Step,
    Template,
    Truthy,
    UnitValue,
)
from procurator.compile.references import Names, References, Settings
from procurator.compile.rewrite import parts
from procurator.compile.shapes import STRING
from procurator.compile.writer import Writer
from procurator.runtime.support import TRACE

MAX_LOOPS: Final = 12
"""Loops that one Python function may nest; Python itself allows twenty blocks."""

MAX_INDENT: Final = 60
"""Levels of indentation in one function; Python allows a hundred."""

EQUALITIES: Final = frozenset({"equal", "neq"})

NOTICED: Final = (CallUnit, CallBuiltin, UnitValue, Document, Comprehend, Template, Print, Held)
"""What must not be reached past an undefined look-up: it can end in an error, or leaves a trace."""

Done = Callable[[], None]


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


class BlockWriter(References):
    """Writes blocks of one program.

    Attributes:
        nest: where the writing is.
        waiting: shared look-ups of the unit that have not been written yet.
        unchecked: shared registers that nothing has found to be defined yet.
        certain: the rules that have held wherever the writing is now, while none has to be recorded at run time.
        implied: for a shared register, those that are defined whenever it is.
    """

    def __init__(self, out: Writer, names: Names, settings: Settings, steps: Mapping[type, StepWriter]) -> None:
        super().__init__(out, names, settings)
        self._steps = steps
        self.nest = Nest()
        self.waiting: dict[Register, Compute] = {}
        self.unchecked: dict[Register, None] = {}
        self.implied: dict[Register, set[Register]] = {}
        self.certain: list[int] | None = None
        self.outlines = 0
        self._uses: Counter[Register] = Counter()

    # Blocks

    def begin_unit(self, shared: tuple[Compute, ...], whole: Any) -> None:
        """Forget what was known of the last unit's registers.

        Args:
            shared: the shared look-ups of the unit.
            whole: all that is run for it.
        """
        self.shapes, self.texts, self.implied, self.unchecked = {}, {}, {}, {}
        self._uses = Counter(part for part in parts(whole) if isinstance(part, Register))
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
        self.look_up(step.target, step.value, step.span)
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
            if not self._is_operand(block, place):
                self._steps[type(step)](self, step)
            place += 1
        self._check_all()
        done()

    def _check_before(self, step: Step) -> None:
        """Check the shared registers that a step uses, but for those whose being undefined makes it fail anyway."""
        if not self.unchecked or isinstance(step, Defined):
            return
        spared = self._spared(step)
        inner = tuple(parts(step))
        for part in inner:
            if isinstance(part, Register) and part in self.unchecked and part not in spared:
                self.check(part)
        if any(isinstance(part, NOTICED) for part in inner):
            self._check_all()
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

    def _check_all(self) -> None:
        for register in tuple(self.unchecked):
            self.check(register)

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

    def inner(self, block: Block, done: Done, assigned: tuple[str, ...] = (), ordered: bool = False) -> None:
        """Write a block inside another; restores depth and what is known."""
        outer, unchecked, depth = self.nest, dict(self.unchecked), self.out.depth
        self.nest = Nest([], outer.total_loops, assigned, ordered, outer.outlined)
        self._block(block, done)
        self.nest, self.unchecked, self.out.depth = outer, unchecked, depth

    def flagged(self, block: Block, flag: str, value: str) -> None:
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

        self.inner(block, done, (flag,), self.nest.ordered)

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

    def _is_operand(self, block: Block, place: int) -> bool:
        """Leave a look-up that cannot fail to the one comparison that uses it; whether it is left."""
        step = block[place]
        if not (isinstance(step, Compute) and isinstance(step.value, Get) and step.value.keys):
            return False
        following = next((block[n] for n in range(place + 1, len(block)) if not isinstance(block[n], Defined)), None)
        if not isinstance(following, Compare) or following.operator not in EQUALITIES or self._uses[step.target] != 2:
            return False
        found, sides = self.selected(step.value), (following.left, following.right)
        if found.fails or found.misses or step.target not in sides:
            return False
        if found.shape is not STRING and STRING not in map(self.shape, sides):
            return False
        # A comparison with a string has each side once.
        self.shapes[step.target], self.texts[step.target] = found.shape, found.text
        return True

    def when_defined(self, target: Register) -> None:
        """Write what follows for the case that a register has a value."""
        self.out.open(f"if {self.operand(target)} is not U:")

    def note(self, rule: int) -> None:
        """Note that a rule held: in the trace, or among those certain wherever the writing is now."""
        if self.certain is not None:
            self.certain.append(rule)
        else:
            self.record(str(rule))

    def record(self, rule: str) -> None:
        """Write that a rule goes on the list of the trace."""
        if self.settings.traced:
            self.out.line(f"{'t0' if self.local_input else self.context(TRACE)}.append({rule})")


StepWriter = Callable[[BlockWriter, Any], None]
