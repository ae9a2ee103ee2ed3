"""Why a rule may be recursive: the reference that can lead back to it, and what its variables must be for that."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from procurator_rules.checks.dependencies import is_constant
from procurator_rules.checks.narrowing import Mention, Origin, members, names_before, origin_of
from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import Definition, key_of
from procurator_rules.checks.text import part_text, ref_text
from procurator_rules.nodes import Boolean, Null, Number, Ref, String, Term, Var

MAX_CONDITIONS: Final = 2
"""So many conditions are spelled out."""

MAX_MEMBERS: Final = 5
"""So many members of a collection are listed."""

TYPE_NAMES: Final[Mapping[type, str]] = {Null: "null", Boolean: "boolean", Number: "number", String: "string"}


@dataclass(frozen=True, slots=True)
class Use:
    """A reference that can select a rule.

    Attributes:
        mention: as it is written in a branch.
        selected: with what is known of its variables.
        definition: the rule it stands in.
        body: the lines of the branch.
        parts: the terms of the head of the branch.
    """

    mention: Mention
    selected: Ref
    definition: Definition
    body: tuple[Any, ...]
    parts: tuple[Term, ...]

    def bound(self) -> Set[str]:
        """The variables that can have values where the reference stands."""
        return names_before(self.definition.rule, self.body, self.parts, self.mention.at)


def selects(use: Use, target: Definition) -> bool:
    """Whether a reference means a rule whatever its variables are."""
    return positions(use.selected, target, use.bound()) == []


def positions(ref: Ref, target: Definition, bound: Set[str]) -> list[int] | None:
    """Which operands of a reference must have certain values for it to mean a rule; None if no values will do.

    A variable without a value that stands in the reference once takes all values there are.
    """
    found = []
    for i, (operand, part) in enumerate(zip(ref.terms, target.rule.head.ref.terms, strict=False)):
        if i == 0 or not is_constant(part) or _takes_all(operand, ref, bound):
            continue
        if not is_constant(operand):
            found.append(i)
        elif key_of(operand) != key_of(part):
            return None
    return found


def _takes_all(operand: Term, ref: Ref, bound: Set[str]) -> bool:
    return isinstance(operand, Var) and operand.name not in bound and ref.terms.count(operand) == 1


def cause_text(program: Program, use: Use, target: Definition, inside: str) -> str:
    """The cause in brackets.

    Args:
        program: what is known of built-in functions.
        use: the reference.
        target: the rule that it can mean.
        inside: the name of the rule it stands in, unless that is the one complained of.
    """
    path = target.rule.head.ref
    ref = Ref(use.mention.ref.terms[: len(path.terms)])
    where = f"{ref_text(ref.terms)} in {inside}" if inside else ref_text(ref.terms)
    found = positions(use.selected, target, use.bound())
    conditions = _conditions(use.mention.ref, path, found or [])
    impossible = any(_is_impossible(program, use, *one) for one in conditions)
    if not conditions or len(conditions) > MAX_CONDITIONS or impossible:
        return f" ({where} could refer to {ref_text(path.terms)})"
    spelled = " and ".join(_condition(use, term, value) for term, value in conditions)
    return f" ({where} refers to {ref_text(path.terms)} if {spelled})"


def _conditions(ref: Ref, path: Ref, found: list[int]) -> list[tuple[Term, Term]]:
    """The operands with the values that they must have; none where one would have to have two."""
    wanted: dict[Term, Term] = {}
    for i in found:
        if wanted.setdefault(ref.terms[i], path.terms[i]) != path.terms[i]:
            return []
    return list(wanted.items())


def _origin(use: Use, term: Term) -> Origin | None:
    if not isinstance(term, Var):
        return None
    return origin_of(term.name, use.definition.rule, use.body[: use.mention.at])


def _is_impossible(program: Program, use: Use, term: Term, value: Term) -> bool:
    """Whether an operand cannot have a value, going by where it comes from."""
    origin = _origin(use, term)
    if origin is None:
        return False
    if origin.kind == "collection" and origin.source is not None:
        return value not in (members(origin.source) or ())
    return origin.kind == "builtin" and not _may_return(program, origin.name, value)


def _may_return(program: Program, name: str, value: Term) -> bool:
    declaration: Any = program.options.capabilities.builtins.get(name)
    result = declaration and declaration["decl"].get("result")
    if not result:
        return True
    kinds = [one.get("type") for one in result.get("of", ())] if result["type"] == "any" else [result["type"]]
    return not kinds or TYPE_NAMES.get(type(value)) in kinds


def _condition(use: Use, term: Term, value: Term) -> str:
    note = _note(use, term)
    return f"{part_text(term)} is {part_text(value)}" + (f" ({note})" if note else "")


def _note(use: Use, term: Term) -> str:
    """Where an operand gets its value."""
    if isinstance(term, Ref):
        head = term.terms[0]
        of_rule = isinstance(head, Var) and head.name == "data"
        return "rule values aren't known at compile time" if of_rule else ""
    origin = _origin(use, term)
    if origin is None:
        return ""
    source = "" if origin.source is None else part_text(origin.source)
    return NOTES[origin.kind](part_text(term), origin, source, ref_text(use.definition.rule.head.ref.terms))


def _collection(term: str, origin: Origin, source: str, _rule: str) -> str:
    found = members(origin.source) if origin.source is not None else ()
    return f"{term} is one of {source if not found or len(found) <= MAX_MEMBERS else f'{len(found)} values'}"


NOTES: Final[Mapping[str, Callable[[str, Origin, str, str], str]]] = {
    "input": lambda term, _origin, source, _rule: f"{term} comes from {source}",
    "rule": lambda term, _origin, source, _rule: (
        f"{term} comes from rule {source}, whose value isn't known at compile time"
    ),
    "collection": _collection,
    "builtin": lambda term, origin, _source, _rule: f"{term} is computed by {origin.name}",
    "key": lambda term, _origin, _source, rule: f"{term} is a key of {rule}",
    "argument": lambda term, _origin, _source, rule: f"{term} is an argument of {rule}",
}
"""What is said of each kind of origin."""
