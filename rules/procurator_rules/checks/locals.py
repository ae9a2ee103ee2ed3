"""The local variables of one module: which are declared where, under which name they go on."""

from collections.abc import Iterable
from itertools import count
from typing import Final

ARGUMENT: Final = "arg {} redeclared"
SEEN: Final = "var {} referenced above"
ASSIGNED: Final = "var {} assigned above"
DECLARED: Final = "var {} declared above"


GENERATED: Final = "__local"
"""How the names of variables begin that OPA makes up, in policies that it has printed."""


def is_generated(name: str) -> bool:
    """Whether a variable stands for the value of a part of a line, in OPA's own spelling too."""
    return name[0] == "#" or name.startswith(GENERATED)


class Local:
    """A name in one frame.

    Attributes:
        name: what the variable is called from now on; None where it keeps its name.
        how: how it came about, which is what a second declaration is told.
        used: whether it is mentioned again.
    """

    __slots__ = ("how", "name", "used")

    def __init__(self, name: str | None, how: str) -> None:
        self.name = name
        self.how = how
        self.used = False


_PLAIN: Final = Local(None, SEEN)


class Frames:
    """Frames of local variables, the innermost last, and with each the names that stand for nothing outside of it."""

    def __init__(self) -> None:
        self.stack: list[dict[str, Local]] = []
        self.in_head = False
        self.hidden: list[frozenset[str]] = []
        self._numbers = count(1)

    def push(self, hidden: frozenset[str]) -> dict[str, Local]:
        """Open a frame."""
        frame: dict[str, Local] = {}
        self.stack.append(frame)
        self.hidden.append(hidden)
        return frame

    def pop(self) -> None:
        """Close the innermost frame."""
        self.stack.pop()
        self.hidden.pop()

    def is_hidden(self, name: str) -> bool:
        """Whether a name of a rule or an import is taken by a variable here."""
        return any(name in names for names in self.hidden)

    def use(self, name: str) -> str | None:
        """The new name of a variable that is mentioned; None where it keeps its name."""
        for frame in reversed(self.stack):
            local = frame.get(name)
            if local is not None:
                local.used = True
                if self.in_head and frame is self.stack[0] is not self.stack[-1]:
                    # A comprehension in a head cannot declare a variable again that it has mentioned.
                    self.stack[-1][name] = Local(local.name, SEEN)
                return local.name
        self.stack[-1][name] = _PLAIN
        return None

    def mention(self, inner: dict[str, Local]) -> None:
        """Mention in the innermost frame what a closed one mentioned and did not declare."""
        self.stack[-1].update((name, _PLAIN) for name, local in inner.items() if local is _PLAIN)

    def find(self, name: str) -> Local | None:
        """What a name stands for here, without mentioning it."""
        return next((frame[name] for frame in reversed(self.stack) if name in frame), None)

    def declare(self, name: str, how: str) -> str | None:
        """Declare a variable in the innermost frame; returns what is wrong with that."""
        frame = self.stack[-1]
        known = frame.get(name)
        if known is not None:
            return known.how.format("_" if name[0] == "$" else name)
        frame[name] = Local(name if name[0] == "$" else f"{name}#{next(self._numbers)}", how)
        return None

    def unused(self, how: str, used: Iterable[str]) -> list[str]:
        """The variables of the innermost frame that came about in a way and are mentioned nowhere else."""
        frame = self.stack[-1]
        found = [name for name, local in frame.items() if local.how is how and not local.used]
        mentioned = frozenset(used) if found else frozenset()
        return [name for name in found if name not in mentioned and not name.startswith(GENERATED)]
