"""Unification of terms with types: what variables in a pattern have to be, or that nothing fits."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator_rules import types
from procurator_rules.checks.type_places import Place
from procurator_rules.checks.type_scope import TypeScope, constant_key
from procurator_rules.nodes import Array, Call, Object, Ref, SetTerm, Term, Var
from procurator_rules.types import ANY, Inferred, Type, overlaps, union, unknown


class TypeMatcher(TypeScope):
    """Matches terms with types and with each other; variables without a type get one."""

    def __init__(self, documents: Place) -> None:
        super().__init__(documents)
        self._matches: Final[Mapping[type, Callable[[Any, Inferred, bool], bool]]] = {
            Var: self._match_var,
            Array: self._match_composite,
            Object: self._match_composite,
            SetTerm: self._match_composite,
            Call: self._match_call,
        }
        self._parts: Final[Mapping[type, Callable[[Any, Any, bool], bool]]] = {
            Array: self._match_array,
            Object: self._match_object,
            SetTerm: self._match_set,
        }

    def match(self, node: Term, wanted: Inferred, *, one_of_many: bool = False) -> bool:
        """Whether a term can be of a type.

        Args:
            node: the term; variables in it that have no type take theirs from the wanted one.
            wanted: the type.
            one_of_many: whether the type is one of several choices, each of which adds to the types of variables.
        """
        match = self._matches.get(type(node))
        return overlaps(self.type_of(node), wanted) if match is None else match(node, wanted, one_of_many)

    def _match_var(self, node: Var, wanted: Inferred, one_of_many: bool) -> bool:
        known = self.variable(node.name)
        if one_of_many:
            self.assign(node.name, union(known, wanted))
            return True
        if known is not None:
            return overlaps(known, wanted)
        self.assign(node.name, wanted)
        return True

    def _match_call(self, node: Call, wanted: Inferred, _one_of_many: bool) -> bool:
        known = self.known.get(id(node))
        if known is not None:
            return overlaps(known, wanted)
        self.known[id(node)] = wanted
        return True

    def _match_composite(self, node: Term, wanted: Inferred, one_of_many: bool) -> bool:
        wanted = wanted.resolved() if wanted is not None else None
        if isinstance(wanted, types.Union):
            # Every choice has to be tried, for each can tell something of the variables.
            choices: tuple[Type, ...] = wanted.of
            fits = [self._parts[type(node)](node, choice.resolved(), True) for choice in choices]
            return any(fits) if choices else self._match_anything(node)
        return self._parts[type(node)](node, wanted, one_of_many)

    def _match_anything(self, node: Term) -> bool:
        if isinstance(node, Array | SetTerm | Object):
            for part in node.items:
                for term in part if isinstance(part, tuple) else (part,):
                    self.match(term, ANY, one_of_many=True)
        return True

    def _match_array(self, node: Array, wanted: Inferred, one_of_many: bool) -> bool:
        if not isinstance(wanted, types.Array):
            return False
        if len(node.items) != len(wanted.static) and wanted.dynamic is None:
            return False
        parts = enumerate(node.items)
        return all(self.match(part, types.item(wanted, i), one_of_many=one_of_many) for i, part in parts)

    def _match_object(self, node: Object, wanted: Inferred, one_of_many: bool) -> bool:
        if not isinstance(wanted, types.Object):
            return False
        if len(node.items) != len(wanted.static) and (wanted.dynamic is None or wanted.dynamic[1] is None):
            return False
        return all(self._match_value(key, value, wanted, one_of_many) for key, value in node.items)

    def _match_value(self, key: Term, value: Term, wanted: types.Object, one_of_many: bool) -> bool:
        constant = constant_key(key)
        if constant is None:
            self.match(value, ANY, one_of_many=one_of_many)
            return True
        held = wanted.select(constant)
        return held is not None and self.match(value, held, one_of_many=one_of_many)

    def _match_set(self, node: SetTerm, wanted: Inferred, one_of_many: bool) -> bool:
        if not isinstance(wanted, types.Set):
            return False
        return all(self.match(item, wanted.of, one_of_many=one_of_many) for item in node.items)

    def unify(self, a: Term, type_a: Inferred, b: Term, type_b: Inferred) -> bool:
        """Whether two terms of these types can be equal."""
        if unknown(type_a):
            return self.match(a, type_b) if not unknown(type_b) else self._unify_unknown(a, type_a, b, type_b)
        return self.match(b, type_a) if unknown(type_b) else overlaps(type_a, type_b)

    def _unify_unknown(self, a: Term, type_a: Inferred, b: Term, type_b: Inferred) -> bool:
        """Two terms with something in each that has no type yet."""
        if isinstance(a, Array) and isinstance(b, Array):
            return len(a.items) == len(b.items) and all(map(self._unify_parts, a.items, b.items))
        if isinstance(a, Object) and isinstance(b, Object):
            return self._unify_objects(a, b)
        if not isinstance(a, Var):
            a, type_a, b, type_b = b, type_b, a, type_a
        if isinstance(a, Var):
            if isinstance(b, Var | Array | Object | Call):
                return self.match(b, ANY) and self.match(a, self.type_of(b))
            return self.match(a, ANY if isinstance(b, Ref) or type_b is None else type_b)
        return isinstance(a, Call) or isinstance(b, Call) or overlaps(type_a, type_b)

    def _unify_parts(self, a: Term, b: Term) -> bool:
        return self.unify(a, self.type_of(a), b, self.type_of(b))

    def _unify_objects(self, a: Object, b: Object) -> bool:
        mine, theirs = dict(a.items), dict(b.items)
        return mine.keys() == theirs.keys() and all(self._unify_parts(mine[key], theirs[key]) for key in mine)
