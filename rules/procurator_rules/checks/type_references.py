"""The types of references: through the documents that rules and schemas make, and into the types of what they hold."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from procurator_rules import types
from procurator_rules.checks.program import function_name
from procurator_rules.checks.rule_tree import Key, key_of
from procurator_rules.checks.text import ref_text
from procurator_rules.checks.type_errors import no_such_key, not_a_collection
from procurator_rules.checks.type_matching import TypeMatcher
from procurator_rules.checks.type_places import Place
from procurator_rules.checks.type_scope import constant_key
from procurator_rules.constants import Key as Constant
from procurator_rules.errors import PolicyError
from procurator_rules.nodes import Array, Boolean, Null, Number, Object, Ref, SetTerm, String, Term, Var
from procurator_rules.types import ANY, STRING, Function, Inferred, Type, overlaps, union

ROOTS: Final = frozenset({"data", "input"})
SCALAR_TERMS: Final = frozenset({Null, Boolean, Number, String})
COMPOSITE_TERMS: Final = frozenset({Array, Object, SetTerm})


class Reached(NamedTuple):
    """Where a reference leaves the tree of documents.

    Attributes:
        type: the type found there; None if nothing is known of the reference.
        position: the number of the first operand that leads into the type.
        place: the place at which an operand that is no constant chooses, if there is one.
    """

    type: Inferred
    position: int
    place: Place | None = None


class ReferenceTypes(TypeMatcher):
    """Types references and reports those that lead nowhere.

    Attributes:
        errors: what is wrong, in the order in which it was found.
        broken_promises: those of them that ask for keys which, as a schema has it, are never there.
    """

    visits: dict[type, Callable[[Any], Inferred]]

    def __init__(self, documents: Place) -> None:
        super().__init__(documents)
        self.errors: list[PolicyError] = []
        self.broken_promises: list[PolicyError] = []

    def reference(self, ref: Ref) -> Inferred:
        """The type of a reference that stands for a value, operands first."""
        head, *operands = ref.terms
        count = len(self.errors)
        for operand in operands:
            if type(operand) is not String:
                self.visits[type(operand)](operand)
        if type(head) is not Var:
            self.visits[type(head)](head)
        if len(self.errors) > count:
            self.known[id(ref)] = None
            return None
        found = self.follow(ref)
        if isinstance(found, Function):
            self.errors.append(not_a_collection(ref, len(ref.terms) - 1, found))
            found = None
        self.known[id(ref)] = found
        return found

    def follow(self, ref: Ref) -> Inferred:
        """The type of a reference whose operands have been looked at."""
        terms = ref.terms
        head = terms[0]
        if isinstance(head, Var) and head.name not in ROOTS:
            found = self.variable(head.name)
            if found is None:
                self.assign(head.name, ANY)
                found = ANY
            return self._select(ref, found, 1)
        if not isinstance(head, Var):
            return self._select(ref, self.type_of(head) or ANY, 1)
        reached = self._reach(ref)
        if reached is None:
            return None
        if reached.place is not None and not self._fits_place(ref, reached):
            return None
        return self._select(ref, reached.type, reached.position)

    def document(self, ref: Ref) -> Inferred:
        """The type of a document by its full path, operands that are not constant left open."""
        reached = self._reach(ref)
        return None if reached is None else reached.type if reached.position == len(ref.terms) else ANY

    def _reach(self, ref: Ref) -> Reached | None:
        """Follow constant operands down the trees, the first that has something; None after an error."""
        terms = ref.terms
        head = terms[0]
        name = head.name if isinstance(head, Var) else ""
        for root in self.roots:
            place = root.children.get(name)
            position = 1
            while place is not None:
                if place.type is not None and not _goes_deeper(place, terms, position):
                    return Reached(place.type, position)
                if position == len(terms):
                    return Reached(place.extent(), position)
                operand = terms[position]
                key = key_of(operand)
                if position <= 2 and not isinstance(operand, Var | String) and not self._may_be_string(operand):
                    have = self.type_of(operand)
                    self.errors.append(no_such_key(ref, position, have=have, want=STRING, one_of=place.constants()))
                    return None
                if key is None:
                    return Reached(place.extent().values(), position + 1, place)
                place = place.children.get(key)
                position += 1
        return Reached(ANY, 1)

    def _may_be_string(self, operand: Term) -> bool:
        if type(operand) in SCALAR_TERMS or type(operand) in COMPOSITE_TERMS:
            return False
        found = self.type_of(operand)
        return found is None or overlaps(found, STRING)

    def _fits_place(self, ref: Ref, reached: Reached) -> bool:
        """Whether an operand can be one of the keys of a place."""
        place, position = reached.place, reached.position - 1
        operand = ref.terms[position]
        keys = place.extent().keys() if place is not None else None
        if type(operand) not in COMPOSITE_TERMS and not self._fits(operand, keys):
            one_of = place.constants() if place is not None else ()
            self.errors.append(no_such_key(ref, position, have=self.type_of(operand), want=keys, one_of=one_of))
            return False
        return True

    def _fits(self, operand: Term, keys: Inferred) -> bool:
        """Whether an operand that is no constant can be one of some keys; a variable without a type becomes one."""
        if isinstance(operand, Var) or type(operand) in COMPOSITE_TERMS:
            return self.match(operand, keys)
        found = self.type_of(operand)
        return found is None or overlaps(found, keys)

    def _select(self, ref: Ref, found: Inferred, position: int) -> Inferred:
        """What the operands from a position on lead to in a type."""
        terms = ref.terms
        for i in range(position, len(terms)):
            if found is None:
                return None
            operand = terms[i]
            found = (
                self._select_nothing(ref, i, found) if found.holds_nothing else self._select_one(ref, i, found, operand)
            )
        return found

    def _select_one(self, ref: Ref, position: int, found: Type, operand: Term) -> Inferred:
        keys = found.keys()
        if keys is None:
            self.errors.append(not_a_collection(ref, position - 1, found))
            return None
        if type(operand) in SCALAR_TERMS:
            constant = constant_key(operand)
            held = None if constant is None else found.select(constant)
            if held is None:
                error = no_such_key(ref, position, want=keys, one_of=keys_of(found))
                self.errors.append(error)
                if is_promised(found):
                    self.broken_promises.append(error)
            return held
        if not self._fits(operand, keys):
            composite = type(operand) in COMPOSITE_TERMS
            one_of = () if composite else keys_of(found)
            self.errors.append(no_such_key(ref, position, have=self.type_of(operand), want=keys, one_of=one_of))
            return None
        return found.values()

    def _select_nothing(self, ref: Ref, position: int, found: Type) -> Inferred:
        """Out of an empty collection: no constant key is there, anything else finds nothing, which is no mistake."""
        operand = ref.terms[position]
        if type(operand) in SCALAR_TERMS:
            self.errors.append(no_such_key(ref, position))
            return None
        if isinstance(operand, Var):
            have, keys = self.variable(operand.name), found.keys()
            if have is None:
                self.assign(operand.name, ANY)
            elif keys is not None and not overlaps(have, keys):
                self.errors.append(no_such_key(ref, position, have=have, want=keys))
                return None
        return ANY

    def replace_document(self, replaced: Place, target: Ref, before: Inferred, value: Inferred) -> None:
        """Note in a tree that a document has the type it had or that of a value, or any if a part is replaced."""
        path: list[Key] = []
        for term in target.terms[1:]:
            key = key_of(term)
            if key is None:
                break
            path.append(key)
        whole = len(path) + 1 == len(target.terms) and before is not None and value is not None
        head = target.terms[0]
        if isinstance(head, Var):
            replaced.put((head.name, *path), (union(before, value) if whole else None) or ANY)

    def name_of(self, operator: Ref) -> str:
        """The name of a function as messages have it."""
        return function_name(operator) or ref_text(operator.terms)


def _goes_deeper(place: Place, terms: tuple[Term, ...], position: int) -> bool:
    """Whether more is known of what an operand leads to than the type of the whole says."""
    return bool(place.children) and position < len(terms) and key_of(terms[position]) in place.children


def is_promised(one: Type) -> bool:
    """Whether it is from a schema that an object has no further keys; of a union, whether that is so of each object."""
    resolved = one.resolved()
    members = resolved.of if isinstance(resolved, types.Union) else (resolved,)
    objects = [member for member in members if isinstance(member, types.Object)]
    return bool(objects) and all(member.is_promised for member in objects)


def keys_of(one: Type) -> list[Constant]:
    """The constant keys of an object, or of all objects in a union."""
    resolved = one.resolved()
    if isinstance(resolved, types.Union):
        return [key for member in resolved.of for key in keys_of(member)]
    return list(resolved.by_key) if isinstance(resolved, types.Object) else []
