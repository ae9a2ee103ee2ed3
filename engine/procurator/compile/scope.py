"""What a block under construction knows: its steps so far, and where its variables are."""

from dataclasses import dataclass, field

from procurator.compile.plan import Computation, Compute, Operand, Register, Step
from procurator_rules.spans import NO_SPAN, Span


@dataclass(slots=True)
class Counter:
    """Hands out the registers and frames of one unit."""

    registers: int = 0
    frames: int = 1

    def register(self) -> Register:
        """A new register."""
        self.registers += 1
        return Register(self.registers - 1)

    def frame(self) -> int:
        """A new frame; 0 is the one the unit is called in."""
        self.frames += 1
        return self.frames - 1


@dataclass(slots=True)
class Scope:
    """A block under construction.

    Attributes:
        names: the operand that holds each variable bound so far.
        steps: the steps so far.
        frame: the frame in which expressions read input, documents and functions.
    """

    counter: Counter
    names: dict[str, Operand] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    frame: int = 0

    def nested(self) -> "Scope":
        """The scope of a block inside this one: it sees what is bound here and keeps what it binds."""
        return Scope(self.counter, dict(self.names), [], self.frame)

    def compute(self, value: Computation, span: Span = NO_SPAN) -> Register:
        """Add a step that computes a value; the register that holds it."""
        target = self.counter.register()
        self.steps.append(Compute(target, value, span=span))
        return target
