"""What a value of an argument may be: the constraints of AAT's `authorization_details`, and path patterns beside them.

Each constraint is a set of JSON values. The classes hold what the JSON holds, under the same names. An argument that is
spoken of as a path is compared in its normal form, and one that has none is refused, whatever else the constraint says,
`not` included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Final, TypeAlias

from procurator.governance.scope.automata import Automaton, Language
from procurator.governance.scope.expressions import compiled
from procurator.governance.scope.paths import normalised
from procurator.governance.scope.patterns import (
    below,
    below_test,
    glob_language,
    glob_test,
    normal_pattern,
    normal_root,
    path_automaton,
)
from procurator.numbers import exact, number
from procurator.values import Key, key_of

Json: TypeAlias = Any
Test: TypeAlias = "Callable[[Json, str | None], bool]"
"""Whether a constraint admits a value; the other operand is its normal form as a path, for a string."""

_NUMBERS: Final = frozenset({int, float, Decimal})


class Constraint:
    """A set of values."""

    name: ClassVar[str]
    generic: ClassVar[bool] = False
    """Whether it has values that no constraint mentions and that are no texts, numbers or arrays it knows of."""
    of_paths: bool = False
    """Whether it speaks of paths, so that a text without a normal form is refused."""

    def test(self) -> Test:
        """The constraint as a function."""
        raise NotImplementedError

    def leaves(self) -> Iterator[Constraint]:
        """The constraints that are no combination."""
        yield self

    def holds(self, case: Callable[[Constraint], bool]) -> bool:
        """Whether it has the values of a case, which says what it is for the leaves."""
        return case(self)

    @cached_property
    def admits(self) -> Callable[[Json], bool]:
        """Whether a value is in the set."""
        test = self.test()
        return _over_paths(test) if self.of_paths else _guarded(test)


def _guarded(test: Test) -> Callable[[Json], bool]:
    def admit(value: Json) -> bool:
        try:
            return test(value, None)
        except (TypeError, ValueError):  # no JSON value, NaN, or nested too deeply
            return False

    return admit


def _over_paths(test: Test) -> Callable[[Json], bool]:
    plain = _guarded(test)

    def admit(value: Json) -> bool:
        if not isinstance(value, str):
            return plain(value)
        path = normalised(value)
        return path is not None and test(value, path)

    return admit


@dataclass(frozen=True)
class Wildcard(Constraint):
    """Every value."""

    name = "wildcard"
    generic = True

    def test(self) -> Test:
        return lambda _value, _path: True


@dataclass(frozen=True)
class Exact(Constraint):
    """One value."""

    name = "exact"
    value: Json = field(compare=False)
    key: Key = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # True equals 1 in Python; their keys differ.
        object.__setattr__(self, "key", key_of(self.value))

    @property
    def constants(self) -> Sequence[Json]:
        return (self.value,)

    def test(self) -> Test:
        key = self.key
        return lambda value, _path: key_of(value) == key


@dataclass(frozen=True)
class OneOf(Constraint):
    """Any of some values."""

    name = "one_of"
    values: Sequence[Json] = field(compare=False)
    keys: frozenset[Key] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", frozenset(map(key_of, self.values)))

    @property
    def constants(self) -> Sequence[Json]:
        return self.values

    def test(self) -> Test:
        keys = self.keys
        return lambda value, _path: key_of(value) in keys


@dataclass(frozen=True)
class NotOneOf(Constraint):
    """Every value but these."""

    name = "not_one_of"
    generic = True
    excluded: Sequence[Json] = field(compare=False)
    keys: frozenset[Key] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", frozenset(map(key_of, self.excluded)))

    @property
    def constants(self) -> Sequence[Json]:
        return self.excluded

    def test(self) -> Test:
        keys = self.keys
        return lambda value, _path: key_of(value) not in keys


@dataclass(frozen=True)
class Range(Constraint):
    """The numbers between two bounds, which are exact: an int or a Decimal each."""

    name = "range"
    min: int | Decimal | None = None
    max: int | Decimal | None = None
    min_inclusive: bool = True
    max_inclusive: bool = True

    def __post_init__(self) -> None:
        for bound in ("min", "max"):
            value = getattr(self, bound)
            object.__setattr__(self, bound, None if value is None else bound_of(value))
            # Where there is no bound it makes no difference, so that equal ranges are equal.
            inclusive = value is None or getattr(self, f"{bound}_inclusive")
            object.__setattr__(self, f"{bound}_inclusive", inclusive)
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("`min` is greater than `max`")

    @property
    def constants(self) -> Sequence[Json]:
        return [bound for bound in (self.min, self.max) if bound is not None]

    def covers(self, value: Fraction) -> bool:
        """Whether an exact number is in the range."""
        low, high = (None if bound is None else Fraction(bound) for bound in (self.min, self.max))
        above = low is None or value > low or (self.min_inclusive and value == low)
        return above and (high is None or value < high or (self.max_inclusive and value == high))

    def test(self) -> Test:
        low, high, with_low, with_high = self.min, self.max, self.min_inclusive, self.max_inclusive

        def admit(value: Json, _path: str | None) -> bool:
            if type(value) is not int:
                if type(value) not in _NUMBERS:
                    return False
                value = bound_of(value)
            if low is not None and (value < low or (value == low and not with_low)):
                return False
            return high is None or value < high or (value == high and with_high)

        return admit


def bound_of(value: Json) -> int | Decimal:
    """The exact number; a bool, NaN or infinity is none."""
    if type(value) not in _NUMBERS:
        raise ValueError("is not a number")
    precise = exact(number(value))
    if isinstance(precise, Decimal) and not precise.is_finite():
        raise ValueError("is not a number")
    return precise


@dataclass(frozen=True)
class Contains(Constraint):
    """The arrays that have all of these elements."""

    name = "contains"
    required: Sequence[Json] = field(compare=False)
    keys: frozenset[Key] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", frozenset(map(key_of, self.required)))

    def test(self) -> Test:
        keys = self.keys
        return lambda value, _path: isinstance(value, list) and keys <= set(map(key_of, value))


@dataclass(frozen=True)
class Subset(Constraint):
    """The arrays that have no other elements than these."""

    name = "subset"
    allowed: Sequence[Json] = field(compare=False)
    keys: frozenset[Key] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", frozenset(map(key_of, self.allowed)))

    def test(self) -> Test:
        keys = self.keys
        return lambda value, _path: isinstance(value, list) and keys.issuperset(map(key_of, value))


class PathConstraint(Constraint):
    """A set of paths, described in their normal form."""

    of_paths = True

    @property
    def language(self) -> Language:
        raise NotImplementedError

    @cached_property
    def automaton(self) -> Automaton:
        return path_automaton(self.language)

    @cached_property
    def example(self) -> str | None:
        """A shortest text of the language."""
        return self.automaton.example()


@dataclass(frozen=True)
class Pattern(PathConstraint):
    """The paths that a glob matches, see `patterns.py`."""

    name = "pattern"
    pattern: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", normal_pattern(self.pattern))
        _ = self.automaton  # an error now is better than one at the first call

    @property
    def language(self) -> Language:
        return glob_language(self.pattern)

    def test(self) -> Test:
        matches = glob_test(self.pattern) or self.automaton.matches
        return lambda _value, path: path is not None and matches(path)


@dataclass(frozen=True)
class Subpath(PathConstraint):
    """A directory and all that is under it, by name."""

    name = "subpath"
    root: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", normal_root(self.root))

    @property
    def language(self) -> Language:
        return below(self.root)

    def test(self) -> Test:
        matches = below_test(self.root)
        return lambda _value, path: path is not None and matches(path)


@dataclass(frozen=True)
class Regex(Constraint):
    """The texts that an expression of RE2 matches from the first character to the last."""

    name = "regex"
    pattern: str

    def __post_init__(self) -> None:
        compiled(self.pattern)

    @property
    def automaton(self) -> Automaton | None:
        """None where the expression can be matched but not compared."""
        return compiled(self.pattern)[0]

    def test(self) -> Test:
        matches = compiled(self.pattern)[1]
        return lambda value, _path: isinstance(value, str) and matches(value)


def admits(constraint: Constraint, value: Json) -> bool:
    """Whether a constraint admits a value."""
    return constraint.admits(value)
