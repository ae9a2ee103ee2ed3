"""Whether one constraint contains another, decided for all values at once.

The values fall into finitely many cases that the constraints at hand cannot tell apart: each value that one of them
mentions; the numbers between two bounds; the texts that are in the same languages; the arrays that have all, some or
none of the elements that the same constraints mention; and all others. A case in which the child holds and the parent
does not is a counterexample; where there is none, the parent contains the child. A case too many, which stands for no
value, can only turn a yes into a no. So can the budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import Final, TypeAlias

from procurator.governance.scope.automata import MAX_POSITIONS, Alt, Automaton, Steps, Undecided, literal, memberships
from procurator.governance.scope.combinations import AllOf, AnyOf
from procurator.governance.scope.constraints import (
    Constraint,
    Contains,
    Json,
    PathConstraint,
    Range,
    Regex,
    Subset,
)
from procurator.governance.scope.patterns import NORMAL, PLAIN

DEFAULT_STEPS: Final = 200_000

_MAX_OPAQUE: Final = 4
_ALWAYS: Final[tuple[Json, ...]] = (None, True, False, "", [], {})
"""Values of which there is only one of the kind, or that are easily forgotten."""

Case: TypeAlias = "Callable[[Constraint], bool]"


def contains(parent: Constraint, child: Constraint, steps: Steps | None = None) -> bool:
    """Whether the parent admits whatever the child admits; no where the budget does not suffice to know."""
    try:
        return _decided(parent, child, steps or Steps(DEFAULT_STEPS))
    except Undecided:
        return False


def _decided(parent: Constraint, child: Constraint, steps: Steps) -> bool:
    # Part by part is much less work than all at once, and mostly enough.
    if _obvious(parent, child):
        return True
    if isinstance(child, AnyOf) and all(part.of_paths == child.of_paths for part in child.constraints):
        return all(_decided(parent, part, steps) for part in child.constraints)
    if isinstance(parent, AllOf) and parent.constraints:
        return all(_decided(part, child, steps) for part in parent.constraints)
    if isinstance(parent, AnyOf) and any(_decided(part, child, steps) for part in _candidates(parent, child)):
        return True
    return _Question(parent, child, steps).decided()


def _candidates(parent: AnyOf, child: Constraint) -> Iterator[Constraint]:
    """The parts of the parent that may contain the child."""
    example = child.example if isinstance(child, PathConstraint) else None
    for part in parent.constraints:
        # A text without normal form is refused by one that speaks of paths: a part may be wider than the whole.
        may = part.of_paths == parent.of_paths or child.of_paths
        if may and (example is None or not isinstance(part, PathConstraint) or part.automaton.matches(example)):
            yield part


def _obvious(parent: Constraint, child: Constraint) -> bool:
    return parent == child or (isinstance(child, AllOf) and parent in child.constraints)


class _Question:
    """Looks for a value that the child admits and the parent does not."""

    def __init__(self, parent: Constraint, child: Constraint, steps: Steps) -> None:
        self.parent = parent
        self.child = child
        self.steps = steps
        self.leaves = list(dict.fromkeys([*parent.leaves(), *child.leaves()]))
        self.constants = [value for leaf in self.leaves for value in getattr(leaf, "constants", ())]

    def decided(self) -> bool:
        """Whether there is no such value."""
        searches = (self._mentioned, self._others, self._numbers, self._arrays, self._texts)
        return not any(search() for search in searches)

    def _refuted(self, case: Case, *, normal: bool = True) -> bool:
        """Whether a case is a counterexample."""
        child, parent = (
            (normal or not constraint.of_paths) and constraint.holds(case) for constraint in (self.child, self.parent)
        )
        return child and not parent

    def _mentioned(self) -> bool:
        values = (*self.constants, *_ALWAYS)
        self.steps.spend(len(values) * len(self.leaves))
        return any(self.child.admits(value) and not self.parent.admits(value) for value in values)

    def _others(self) -> bool:
        """Objects, and texts and arrays of which only constants are known."""
        return self._refuted(_is_generic)

    def _numbers(self) -> bool:
        ranges = [leaf for leaf in self.leaves if isinstance(leaf, Range)]
        marks = sorted({Fraction(bound) for leaf in ranges for bound in leaf.constants}) or [Fraction()]
        # Bounds themselves are constants, and single numbers leave no gap empty.
        between = [marks[0] - 1, *((a + b) / 2 for a, b in pairwise(marks)), marks[-1] + 1]
        self.steps.spend(len(between) * len(self.leaves))
        return any(self._refuted(_is_number(value)) for value in between)

    def _arrays(self) -> bool:
        lists = [leaf for leaf in self.leaves if isinstance(leaf, Contains | Subset)]
        return any(self._refuted(case) for case in _array_cases(lists, self.steps)) if lists else False

    def _texts(self) -> bool:
        return any(self._refuted(case, normal=normal) for case, normal in self._text_cases())

    def _text_cases(self) -> Iterator[tuple[Case, bool]]:
        expressions = [leaf for leaf in self.leaves if isinstance(leaf, Regex)]
        readable = {leaf: leaf.automaton for leaf in expressions if leaf.automaton is not None}
        opaque = [leaf for leaf in expressions if leaf not in readable]
        paths = [leaf for leaf in self.leaves if isinstance(leaf, PathConstraint)]
        if len(opaque) > _MAX_OPAQUE:
            raise Undecided
        found = _memberships(list(readable.values()), [leaf.automaton for leaf in paths], self._constants(), self.steps)
        names = (*readable, *paths, *opaque)
        for (texts, normal), unknown in product(found, list(product((False, True), repeat=len(opaque)))):
            # A path of which nothing is known is in no language: it has no normal form.
            yield _is_text(dict(zip(names, (*texts, *unknown), strict=True))), normal

    def _constants(self) -> Automaton:
        texts = sorted({value for value in self.constants if isinstance(value, str)})
        if sum(map(len, texts)) > MAX_POSITIONS // 4:
            texts = []
        return Automaton(Alt(tuple(map(literal, texts))))


def _is_generic(leaf: Constraint) -> bool:
    return leaf.generic


def _is_number(value: Fraction) -> Case:
    return lambda leaf: leaf.covers(value) if isinstance(leaf, Range) else leaf.generic


def _is_text(known: Mapping[Constraint, bool]) -> Case:
    return lambda leaf: known.get(leaf, leaf.generic)


# Texts


def _memberships(
    texts: Sequence[Automaton], paths: Sequence[Automaton], constants: Automaton, steps: Steps
) -> list[tuple[tuple[bool, ...], bool]]:
    """What a text that nobody mentions can be a member of: as it stands, then by its normal form, if it has one."""
    if not paths:
        return [(found[:-1], True) for found in memberships([*texts, constants], steps) if not found[-1]]
    found = memberships([*texts, *paths, constants, _NORMAL, _PLAIN], steps)
    return sorted(_pairs(found, len(texts), len(paths), steps))


def _pairs(
    found: Iterable[tuple[bool, ...]], texts: int, paths: int, steps: Steps
) -> set[tuple[tuple[bool, ...], bool]]:
    """A text that is its own normal form is known as both; of any other, nothing is known about its normal form."""
    pairs: set[tuple[tuple[bool, ...], bool]] = set()
    forms = {((False,) * paths, False)}
    others = set()
    for truth in found:
        own, form = truth[:texts], truth[texts : texts + paths]
        mentioned, normal, plain = truth[-3:]
        if normal:
            forms.add((form, True))
        if plain and not mentioned:
            pairs.add((own + form, True))
        if not plain and not mentioned:
            others.add(own)
    steps.spend(len(others) * len(forms))
    return pairs | {(own + form, normal) for own in others for form, normal in forms}


_NORMAL: Final = Automaton(NORMAL)
_PLAIN: Final = Automaton(PLAIN)


# Arrays


def _array_cases(lists: Sequence[Contains | Subset], steps: Steps) -> Iterator[Case]:
    """Elements that the same constraints name are alike: of each kind, an array has all, some or none."""
    elements = list(dict.fromkeys(key for leaf in lists for key in leaf.keys))
    steps.spend(len(elements) * len(lists))
    kinds = Counter(frozenset(leaf for leaf in lists if key in leaf.keys) for key in elements)
    kinds[frozenset()] = 2  # what nobody names; there is always more of it
    amounts = [("none", "some", "all") if count > 1 else ("none", "all") for count in kinds.values()]
    total = 1
    for amount in amounts:
        total *= len(amount)
    steps.spend(total * len(lists))
    for chosen in product(*amounts):
        # The empty array is a value like those mentioned; of others there are always more than are mentioned.
        if set(chosen) != {"none"}:
            yield _is_array(dict(zip(kinds, chosen, strict=True)))


def _is_array(amounts: Mapping[frozenset[Constraint], str]) -> Case:
    def holds(leaf: Constraint) -> bool:
        if isinstance(leaf, Contains):
            return all(amount == "all" for kind, amount in amounts.items() if leaf in kind)
        if isinstance(leaf, Subset):
            return all(amount == "none" for kind, amount in amounts.items() if leaf not in kind)
        return leaf.generic

    return holds
