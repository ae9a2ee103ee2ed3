"""What a policy, its data or its input can get wrong.

PolicyError            one mistake: code, message, location, hint
└── PolicyErrors       several mistakes of one stage, raised together
"""

from collections.abc import Iterable, Mapping, Sequence

from procurator_rules.spans import Location, Span

PARSE = "rego_parse_error"
COMPILE = "rego_compile_error"
TYPE = "rego_type_error"
UNSAFE_VAR = "rego_unsafe_var_error"
RECURSION = "rego_recursion_error"


class PolicyError(Exception):
    """A mistake in a policy, its data or its input.

    Attributes:
        code: one of OPA's codes, for example `rego_parse_error` or `eval_conflict_error`.
        message: what is wrong, one or more lines, worded as OPA words it where OPA has the error.
        location: file, row and column, or None where no text is to blame.
        hint: what to do about it, or None.
        details: further lines, such as the types a call has and wants.
        record: the same as OPA has it in JSON, a number being a `nodes.Number`; None where it has nothing.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        at: Span | Location | None = None,
        hint: str | None = None,
        details: Sequence[str] = (),
        record: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.location = at.location if isinstance(at, Span) else at
        self.hint = hint
        self.details = tuple(details)
        self.record = record

    def locate(self, span: Span) -> None:
        """Say where the mistake is, unless that is known: the deepest place wins."""
        if self.location is None:
            self.location = span.location

    @property
    def headline(self) -> str:
        """`file:row: code: message` and the details, as OPA prints it, with the hint in brackets."""
        place = f"{self.location}: " if self.location else ""
        hint = f" (hint: {self.hint})" if self.hint else ""
        return "\n\t".join((f"{place}{self.code}: {self.message}{hint}", *self.details))

    def render(self) -> str:
        """The headline, the source line with a caret under the text in question, and the hint."""
        place = f"{self.location.file}:{self.location.row}:{self.location.column}: " if self.location else ""
        parts = [f"{place.removeprefix(':')}{self.code}: {self.message}"]
        parts += [f"  {line}" for line in self.details]
        if self.location and (excerpt := self.location.excerpt()):
            parts += [f"  {line}" for line in excerpt.splitlines()]
        if self.hint:
            parts.append(f"  hint: {self.hint}")
        return "\n".join(parts)

    def __str__(self) -> str:
        return self.render()

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.__dict__)

    def sort_key(self) -> tuple[bool, str, int, int, str]:
        """By place, then by text; what concerns no place comes last."""
        place = (self.location.file, self.location.row, self.location.column) if self.location else ("", 0, 0)
        return (self.location is None, *place, self.message)


class PolicyErrors(PolicyError):  # noqa: N818 (it is named after what it holds)
    """Several mistakes found by one stage; code, message and location are those of the first."""

    def __init__(self, errors: Iterable[PolicyError]) -> None:
        self.errors = tuple(sorted(errors, key=PolicyError.sort_key))
        first = self.errors[0]
        super().__init__(
            first.code,
            first.message,
            at=first.location,
            hint=first.hint,
            details=first.details,
            record=first.record,
        )

    def render(self) -> str:
        """Every mistake in full, under a line that counts them."""
        shown = "\n".join(error.render() for error in self.errors)
        return f"{len(self.errors)} errors occurred:\n{shown}"


def _rebuild(kind: type[PolicyError], state: dict[str, object]) -> PolicyError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (error.code, error.message)
    return error


def raise_all(errors: Sequence[PolicyError]) -> None:
    """Raise nothing, the one error, or all of them as one PolicyErrors."""
    flat = [single for error in errors for single in (error.errors if isinstance(error, PolicyErrors) else (error,))]
    if len(flat) == 1:
        raise flat[0]
    if flat:
        raise PolicyErrors(flat)
