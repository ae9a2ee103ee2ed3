"""Constraints made of constraints: all of them, any of them, or not one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from procurator.governance.scope.constraints import Constraint, Json, Test

MAX_DEPTH: Final = 32


class Combination(Constraint):
    """A set made of sets."""

    @property
    def parts(self) -> Sequence[Constraint]:
        raise NotImplementedError

    @cached_property
    def depth(self) -> int:
        return 1 + max((part.depth for part in self.parts if isinstance(part, Combination)), default=1)

    @cached_property
    def of_paths(self) -> bool:  # type: ignore[override]  # computed here, a constant elsewhere
        return any(part.of_paths for part in self.parts)

    def __post_init__(self) -> None:
        if self.depth > MAX_DEPTH:
            raise ValueError(f"constraints are nested more than {MAX_DEPTH} deep")

    def leaves(self) -> Iterator[Constraint]:
        for part in self.parts:
            yield from part.leaves()


@dataclass(frozen=True)
class AllOf(Combination):
    """The values that all of the constraints admit."""

    name = "all"
    constraints: tuple[Constraint, ...]

    @property
    def parts(self) -> Sequence[Constraint]:
        return self.constraints

    def holds(self, case: Callable[[Constraint], bool]) -> bool:
        return all(part.holds(case) for part in self.constraints)

    def test(self) -> Test:
        tests = tuple(part.test() for part in self.constraints)

        def admit(value: Json, path: str | None) -> bool:
            for test in tests:  # noqa: SIM110  a generator costs more than the loop
                if not test(value, path):
                    return False
            return True

        return admit


@dataclass(frozen=True)
class AnyOf(Combination):
    """The values that any of the constraints admits."""

    name = "any"
    constraints: tuple[Constraint, ...]

    @property
    def parts(self) -> Sequence[Constraint]:
        return self.constraints

    def holds(self, case: Callable[[Constraint], bool]) -> bool:
        return any(part.holds(case) for part in self.constraints)

    def test(self) -> Test:
        tests = tuple(part.test() for part in self.constraints)

        def admit(value: Json, path: str | None) -> bool:
            for test in tests:  # noqa: SIM110  a generator costs more than the loop
                if test(value, path):
                    return True
            return False

        return admit


@dataclass(frozen=True)
class Not(Combination):
    """The values that a constraint does not admit."""

    name = "not"
    constraint: Constraint

    @property
    def parts(self) -> Sequence[Constraint]:
        return (self.constraint,)

    def holds(self, case: Callable[[Constraint], bool]) -> bool:
        return not self.constraint.holds(case)

    def test(self) -> Test:
        test = self.constraint.test()
        return lambda value, path: not test(value, path)
