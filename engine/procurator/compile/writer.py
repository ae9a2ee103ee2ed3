"""Writing Python: lines with indentation, and which place of the policy each line comes from."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from procurator_rules.spans import NO_SPAN, Span

INLINE: Final = (int, bool, type(None))
"""Types of constants that are written as literals; everything else enters by name."""

SMALL: Final = 1 << 62


class Writer:
    """Python source under construction.

    Attributes:
        constants: values that enter the module by name, by that name.
        depth: the indentation of the next line.
    """

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self.depth = 0
        self._lines: list[tuple[int, str, Span]] = []
        self._finished: list[tuple[int, str, Span]] = []
        self._enclosing: list[list[tuple[int, str, Span]]] = []
        self._names: dict[tuple[type, Any], str] = {}

    def line(self, text: str, at: Span = NO_SPAN) -> None:
        """Add a line at the current depth."""
        self._lines.append((self.depth, text, at))

    def line_at(self, depth: int, text: str) -> None:
        """Add a line at another depth."""
        self._lines.append((depth, text, NO_SPAN))

    def open(self, text: str, at: Span = NO_SPAN) -> None:
        """Add a line and go one level deeper until the caller restores the depth."""
        self.line(text, at)
        self.depth += 1

    @contextmanager
    def block(self, text: str, at: Span = NO_SPAN) -> Iterator[None]:
        """Lines under a header."""
        depth = self.depth
        self.open(text, at)
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self.depth = depth

    @contextmanager
    def function(
        self, name: str, parameters: str, at: Span = NO_SPAN, first: Sequence[tuple[str, str]] = ()
    ) -> Iterator[None]:
        """A function at the outermost level, while another may be half written.

        Args:
            name: the function's name.
            parameters: its parameters.
            at: what it computes.
            first: variables and lines to begin with, each if what follows it turns out to use its variable.
        """
        lines, depth = self._lines, self.depth
        self._lines, self.depth = [], 0
        with self.block(f"def {name}({parameters}):", at):
            yield
        for variable, line in reversed(first):
            if variable in _variables(self._lines[1:]):
                self._lines.insert(1, (1, line, NO_SPAN))
        self._finished += self._lines
        self._lines, self.depth = lines, depth

    @contextmanager
    def outlined(self, name: str, assigned: Sequence[str]) -> Iterator[None]:
        """A function for lines that would nest too deep here, and its call: it gets the variables it uses.

        Args:
            name: the function's name.
            assigned: variables of the half-written function that the lines may set.
        """
        lines, depth = self._lines, self.depth
        self._enclosing.append(lines)
        self._lines, self.depth = [], 1
        yield
        inner = self._lines
        known: set[str] = set().union(*map(_variables, self._enclosing))
        self._enclosing.pop()
        used = sorted((_variables(inner) | set(assigned)) & known)
        results = ", ".join(assigned)
        header = (0, f"def {name}({', '.join(used)}):", NO_SPAN)
        self._finished += [header, *(inner or [(1, "pass", NO_SPAN)])]
        if results:
            self._finished.append((1, f"return {results}", NO_SPAN))
        self._lines, self.depth = lines, depth
        call = f"{name}({', '.join(used)})"
        self.line(f"{results} = {call}" if results else call)

    def mark(self) -> int:
        """The place of the line just written."""
        return len(self._lines) - 1

    def forget(self, mark: int) -> None:
        """Take back the line at a mark."""
        del self._lines[mark]

    def constant(self, value: Any) -> str:
        """The name or literal by which code refers to a value."""
        if type(value) in INLINE and (type(value) is not int or -SMALL < value < SMALL):
            return repr(value) if type(value) is not int or value >= 0 else f"({value})"
        if type(value) is str:
            key = (str, value)
            if key not in self._names:
                self._names[key] = self.named("k", value)
            return self._names[key]
        return self.named("k", value)

    def named(self, prefix: str, value: Any) -> str:
        """Let a value enter the module under a new name."""
        name = f"{prefix}{len(self.constants)}"
        self.constants[name] = value
        return name

    def source(self) -> tuple[str, dict[int, Span]]:
        """The text, and for line numbers counted from 1 the span of the policy that the line computes."""
        text = "".join(f"{'    ' * depth}{line}\n" for depth, line, _ in self._finished)
        places = {number: at for number, (_, _, at) in enumerate(self._finished, 1) if at is not NO_SPAN}
        return text, places


_VARIABLE: Final = re.compile(r"\b(?:[vfcit]\d+|[rmn])\b")


def _variables(lines: Sequence[tuple[int, str, Span]]) -> set[str]:
    return {name for _, line, _ in lines for name in _VARIABLE.findall(line)}
