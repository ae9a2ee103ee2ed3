"""The types of the terms and lines of a body, and what is wrong with them.

A line is looked at once, from the inside out: operands before the call or the reference they stand in. What turns out
to be wrong is reported where it stands; its type is then unknown, and what only follows from that is not reported.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeAlias

from procurator_rules import types
from procurator_rules.checks.program import function_name
from procurator_rules.checks.type_errors import argument_error, match_error, not_a_collection
from procurator_rules.checks.type_inner import InnerLines
from procurator_rules.checks.type_places import Place
from procurator_rules.checks.type_references import COMPOSITE_TERMS
from procurator_rules.checks.type_scope import SCALARS, object_type, scalar_type
from procurator_rules.errors import TYPE, PolicyError
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Body,
    Call,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    SomeDecl,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.signatures import Signatures
from procurator_rules.spans import Span
from procurator_rules.types import ANY, Function, Inferred, Type, overlaps, union, unknown

EQUALITIES: Final = frozenset({"eq", "assign", "equal"})
MEMBERSHIPS: Final = frozenset({"internal.member_2", "internal.member_3"})
COMPREHENSIONS: Final[Mapping[type, Callable[..., types.Type]]] = {
    ArrayComprehension: lambda head: types.Array((), head),
    SetComprehension: types.Set,
    ObjectComprehension: lambda key, value: types.Object((), (key, value)),
}
"""The type of a comprehension by those of its heads."""

Dependents: TypeAlias = Callable[[Ref], Place | None]
Tables: TypeAlias = tuple[dict[type, Callable[[Any], Inferred]], dict[type, Callable[[Any, Span], None]]]


class Inference(InnerLines):
    """Looks at bodies and terms, one branch of a rule at a time."""

    def __init__(
        self,
        documents: Place,
        signatures: Signatures,
        dependents: Dependents,
        refuses: Callable[[Ref, Sequence[Inferred]], PolicyError | None] = lambda _operator, _have: None,
        *,
        strict: bool = False,
    ) -> None:
        """Prepare for a program.

        Args:
            documents: the types of documents.
            signatures: the built-in functions.
            dependents: gives what a modifier of a document makes something else of.
            refuses: gives what is wrong inside a function of the policy for all that such arguments can be.
            strict: whether lines of bodies inside lines are looked at like any other.
        """
        super().__init__(documents)
        self._refuses = refuses
        self._signatures = signatures
        self._dependents = dependents
        terms: dict[type, Callable[[Any], Inferred]] = {
            **dict.fromkeys(SCALARS, scalar_type),
            Var: self._var,
            Ref: self.reference,
            Array: self._array,
            Object: self._object,
            SetTerm: self._set,
            **dict.fromkeys(COMPREHENSIONS, self._comprehension),
            Call: self._call,
            TemplateString: self._template,
        }
        lines: dict[type, Callable[[Any, Span], None]] = {
            Call: self._call_line,
            SomeDecl: self._some,
            Every: self._every,
            Not: self._not,
            LogicalAnd: self._logical,
            LogicalOr: self._logical,
        }
        self._everywhere: Final[Tables] = (terms, lines)
        self._inside: Final[Tables] = (
            self._everywhere
            if strict
            else (
                {**terms, Ref: self.reference_alone, Call: self.arguments},
                {**lines, Call: self.arguments, SomeDecl: self.iteration},
            )
        )
        self.visits, self._lines = self._everywhere

    def start(self, documents: Place, *overlays: Place) -> None:
        """Forget what is known of the branch of a rule that was looked at before."""
        self.roots = (*overlays, documents)
        self.frames = [{}]
        self.known = {}
        self.errors = []
        self.broken_promises = []

    def body(self, body: Body) -> None:
        """The lines of a body."""
        lines, visits = self._lines, self.visits
        for expr in body:
            kind = type(expr.term)
            if expr.withs:
                self._line_with(expr)
            elif kind in lines:
                lines[kind](expr.term, expr.span)
            else:
                visits[kind](expr.term)

    def _line_with(self, expr: Expr) -> None:
        """A line in whose sight documents and functions are replaced."""
        before = self.roots
        values = [self._replacement(one.value) for one in expr.withs]
        targets = [self._target(one.target) for one in expr.withs]
        count = len(self.errors)
        for one, target, value in zip(expr.withs, targets, values, strict=True):
            self._check_replacement(one.target, one.span, target, value)
        if len(self.errors) == count:
            self._replace(expr, targets, values)
            self.body((replace(expr, withs=()),))
            self.roots = before

    def _replacement(self, value: Term) -> Inferred:
        """The type of what a modifier puts in the place of its target, a function perhaps."""
        found = self.lookup(value) if isinstance(value, Ref) else None
        return found if isinstance(found, Function) else self.visits[type(value)](value)

    def _target(self, target: Term) -> Inferred:
        """The type of what a modifier replaces; that it is a function is no mistake here."""
        return self.lookup(target) if isinstance(target, Ref) else None

    def lookup(self, ref: Ref) -> Inferred:
        """The type of a reference, nothing reported."""
        signature = self._signatures.get(function_name(ref))
        if signature is not None:
            return signature.type
        count = len(self.errors)
        found = self.follow(ref)
        del self.errors[count:]
        return found

    def _check_replacement(self, target: Term, at: Span, wanted: Inferred, value: Inferred) -> None:
        if self.visits is self._inside[0] is not self._everywhere[0]:
            return
        if isinstance(wanted, Function) and isinstance(value, Function) and not overlaps(wanted, value):
            name = self.name_of(target) if isinstance(target, Ref) else ""
            self.errors.append(argument_error(at, name, "arity mismatch", value.args, wanted, with_result=False))

    def _replace(self, expr: Expr, targets: Sequence[Inferred], values: Sequence[Inferred]) -> None:
        """Put replaced documents, and all that depends on them, in front of what is known of them."""
        replaced = Place()
        for one, target, value in zip(expr.withs, targets, values, strict=True):
            if not isinstance(one.target, Ref):
                continue
            dependents = self._dependents(one.target)
            if dependents is not None:
                self.roots = (dependents, *self.roots)
            if not isinstance(target, Function):
                self.replace_document(replaced, one.target, target, value)
        if replaced.children:
            self.roots = (replaced, *self.roots)

    def _call_line(self, call: Call, at: Span) -> None:
        if len(call.args) != 2 or function_name(call.operator) not in EQUALITIES:
            self._call(call, at)
            return
        a, b = call.args
        count, visits = len(self.errors), self.visits
        type_a, type_b = visits[type(a)](a), visits[type(b)](b)
        if self.unify(a, type_a, b, type_b):
            return
        if len(self.errors) == count or not (unknown(type_a) or unknown(type_b)):
            self.errors.append(match_error(at, type_a, type_b))

    def _some(self, declaration: SomeDecl, at: Span) -> None:
        """`some k, v in xs`: the patterns against the keys and values of the collection."""
        call = declaration.symbols[0]
        if not isinstance(call, Call):
            return
        *patterns, domain = call.args
        count = len(self.errors)
        whole = self.visits[type(domain)](domain)
        kinds = [self.visits[type(pattern)](pattern) for pattern in patterns]
        if whole is None or len(self.errors) > count:
            self._match_all(patterns)
            return
        keys, values = whole.keys(), whole.values()
        if keys is None and not whole.holds_nothing:
            self._report_iteration(patterns, domain, whole, at)
            return
        wanted = [ANY] * len(patterns) if values is None else [keys, values][-len(patterns) :]
        for pattern, kind, want in zip(patterns, kinds, wanted, strict=True):
            if not self._is_one_of(pattern, kind, want):
                self.errors.append(match_error(at, kind, want))
                return

    def _match_all(self, patterns: Sequence[Term]) -> None:
        """Let the variables of patterns be anything."""
        for pattern in patterns:
            self.match(pattern, ANY)

    def _report_iteration(self, patterns: Sequence[Term], domain: Term, whole: Type, at: Span) -> None:
        """Report a collection that is none; a constant, of which all see that, only where a member is compared."""
        if type(domain) in SCALARS:
            if not isinstance(patterns[-1], Var):
                self.errors.append(match_error(at, self.type_of(patterns[-1]), None))
        else:
            terms = domain.terms if isinstance(domain, Ref) else (domain,)
            key = patterns[0] if len(patterns) > 1 else Var("$0")
            self.errors.append(not_a_collection(Ref((*terms, key), span=domain.span), len(terms) - 1, whole))
        self._match_all(patterns)

    def _is_one_of(self, pattern: Term, kind: Inferred, want: Inferred) -> bool:
        if unknown(kind):
            return self.match(pattern, ANY if want is None else want)
        return unknown(want) or overlaps(kind, want)

    def _every(self, every: Every, _at: Span) -> None:
        whole = self.visits[type(every.domain)](every.domain)
        self.frames.append({})
        known = whole if self._inside is self._everywhere else None
        if isinstance(every.key, Var):
            self.assign(every.key.name, ANY if known is None else known.keys() or ANY)
        if isinstance(every.value, Var):
            self.assign(every.value.name, ANY if known is None else known.values() or ANY)
        self._inner(every.body)
        self.frames.pop()

    def _not(self, negation: Not, _at: Span) -> None:
        self._inner(negation.body)

    def _logical(self, node: LogicalAnd | LogicalOr, _at: Span) -> None:
        for body in (node.left, node.right):
            self._inner(body)

    def _inner(self, body: Body) -> None:
        with self._scope(self._inside):
            self.body(body)

    @contextmanager
    def _scope(self, tables: Tables) -> Iterator[None]:
        """Variables of its own, and how lines and terms are looked at in it."""
        before = self.visits, self._lines
        self.visits, self._lines = tables
        self.frames.append({})
        yield
        self.frames.pop()
        self.visits, self._lines = before

    def _var(self, node: Var) -> Inferred:
        return self.variable(node.name)

    def _array(self, node: Array) -> Inferred:
        visits, items = self.visits, []
        for item in node.items:
            items.append(visits[type(item)](item))  # noqa: PERF401 - a comprehension would be one more frame a level
        return types.Array(items)

    def _set(self, node: SetTerm) -> Inferred:
        visits, members = self.visits, []
        for item in node.items:
            members.append(visits[type(item)](item))  # noqa: PERF401 - as above
        return types.Set(union(*members))

    def _object(self, node: Object) -> Inferred:
        visits, pairs = self.visits, []
        for key, value in node.items:
            pairs.append((key, visits[type(key)](key), visits[type(value)](value)))
        return object_type(pairs)

    def _comprehension(self, node: ArrayComprehension | SetComprehension | ObjectComprehension) -> Inferred:
        """Its type by those of its heads; not known if there is something wrong inside."""
        count, heads = len(self.errors), []
        with self._scope(self._everywhere):
            self.body(node.body)
            for head in (node.key, node.value) if isinstance(node, ObjectComprehension) else (node.head,):
                heads.append(self.visits[type(head)](head))  # noqa: PERF401 - as above
        found = COMPREHENSIONS[type(node)](*heads) if len(self.errors) == count else None
        self.known[id(node)] = found
        return found

    def _template(self, node: TemplateString) -> Inferred:
        for part in node.parts:
            if isinstance(part, Expr):
                with self._scope(self._everywhere):
                    self.body((part,)) if part.withs else self.visits[type(part.term)](part.term)
        return types.STRING

    def _call(self, call: Call, at: Span | None = None) -> Inferred:
        """Look at the arguments of a call, then at whether the function takes them; gives the type of its result.

        Args:
            call: the call.
            at: the line, for a call that stands alone.
        """
        name, count, visits = function_name(call.operator), len(self.errors), self.visits
        have: list[Inferred] = []
        for arg in call.args:
            have.append(visits[type(arg)](arg))  # noqa: PERF401 - as above
        function = self.function(call.operator, name)
        if not isinstance(function, Function):
            found: Inferred = ANY
            if function is not None and function.resolved() != ANY:
                message = f"undefined function {self.name_of(call.operator)}"
                self.errors.append(PolicyError(TYPE, message, at=at or call.span))
        else:
            found = function.result if self._takes(call, name, have, function, count, at) else None
        if at is None:
            self.known[id(call)] = found
        return found

    def _takes(
        self, call: Call, name: str, have: Sequence[Inferred], function: Function, count: int, at: Span | None
    ) -> bool:
        """Whether a function takes the arguments of a call; if not, that is reported unless it follows from others."""
        wanted = function.args if function.result is None else (*function.args, function.result)
        if len(have) > len(wanted) and function.variadic is None:
            return True
        place = at or call.span
        if name in MEMBERSHIPS and not self._is_member(call.args, have, place, count):
            return False
        if not self._fit(call, have, wanted, function.variadic):
            shown = [one if one is not None else self.type_of(arg) for one, arg in zip(have, call.args, strict=True)]
            if len(self.errors) == count or not any(map(unknown, shown)):
                shown = shown if at is not None else [*shown, None]
                operator = self.name_of(call.operator)
                self.errors.append(argument_error(place, operator, "invalid argument(s)", shown, function))
            return False
        if name not in self._signatures and any(one is not None and one.promised for one in have):
            self._hand_over(call, place, have)
        return True

    def _hand_over(self, call: Call, at: Span, have: Sequence[Inferred]) -> None:
        """Look at what a function of the policy does with arguments that a schema describes."""
        problem = self._refuses(call.operator, have)
        if problem is not None:
            place = f" at {problem.location}" if problem.location else ""
            details = (f"have: {types.parameters(have)}", f"{problem.message}{place}", *problem.details)
            message = f"{self.name_of(call.operator)}: invalid argument(s)"
            self.errors.append(PolicyError(TYPE, message, at=at, details=details, hint=problem.hint))

    def function(self, operator: Ref, name: str) -> Inferred:
        """The type of a function."""
        signature = self._signatures.get(name)
        return self.document(operator) if signature is None else signature.type

    def _fit(self, call: Call, have: Sequence[Inferred], wanted: Sequence[Inferred], variadic: Inferred) -> bool:
        for i, arg in enumerate(call.args):
            want = wanted[i] if i < len(wanted) else variadic
            one = have[i]
            known = one is not None and not one.incomplete
            if known and not overlaps(one, want):
                return False
            # The parts of what is written out can say more than their types taken together.
            if (not known or type(arg) in COMPOSITE_TERMS) and not self.match(arg, want):
                return False
        return True

    def _is_member(self, args: Sequence[Term], have: Sequence[Inferred], at: Span, count: int) -> bool:
        """Whether what `in` looks for can be in the collection."""
        whole = have[-1] if len(have) == len(args) else None
        held = None if whole is None else whole.values()
        if whole is None or held is None:
            return True
        keyed = [(args[0], have[0], whole.keys())] if len(args) == 3 else []
        for arg, one, want in [*keyed, (args[-2], have[-2], held)]:
            if want is None or want.incomplete:
                continue
            if (not unknown(one) and not overlaps(one, want)) or not self.match(arg, want):
                if len(self.errors) == count or not unknown(one):
                    self.errors.append(match_error(at, one, want))
                return False
        return True
