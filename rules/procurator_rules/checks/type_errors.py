"""The errors of the type checker, with the types in question side by side.

Where the types are too long to be read, only that is shown in which the two differ, with `...` for the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from procurator_rules import constants
from procurator_rules.ast_json import terms_json
from procurator_rules.checks.nearest import did_you_mean
from procurator_rules.checks.text import part_text, ref_text
from procurator_rules.constants import Key
from procurator_rules.errors import TYPE, PolicyError
from procurator_rules.nodes import Ref, Term
from procurator_rules.spans import Span
from procurator_rules.type_json import constant_json, parameters_json, type_json
from procurator_rules.types import (
    Array,
    Function,
    Inferred,
    Object,
    Set,
    Type,
    Union,
    composite,
    overlaps,
    parameters,
    text,
)

MAX_LINE: Final = 80
MAX_PART: Final = 32
MAX_CONTRAST: Final = 8
REST: Final = "..."

PLURALS: Final[Mapping[type, str]] = {Object: "objects", Array: "arrays", Set: "sets"}


def match_error(at: Span, left: Inferred, right: Inferred) -> PolicyError:
    """Two sides that can never be equal."""
    lines = (f"left  : {text(left)}", f"right : {text(right)}")
    if max(map(len, lines)) > MAX_LINE:
        a, b = contrast(left, right)
        lines = (f"left  : {a}", f"right : {b}")
    kind = PLURALS.get(type(left)) if type(left) is type(right) else None
    hint = f"both sides are {kind} but their types differ, so they can never be equal" if kind else None
    record = {"a": type_json(left), "b": type_json(right)}
    return PolicyError(TYPE, "match error", at=at, details=lines, hint=hint, record=record)


def argument_error(
    at: Span, name: str, message: str, have: Sequence[Inferred], want: Function, *, with_result: bool = True
) -> PolicyError:
    """A call whose arguments are not what the function takes.

    Args:
        at: the call.
        name: the name of the function.
        message: what is wrong with the arguments.
        have: their types.
        want: the function.
        with_result: whether the result counts as one more argument.
    """
    wanted = [*want.args, want.result] if with_result and want.result is not None else list(want.args)
    labels = [*want.labels, *[""] * len(wanted)][: len(wanted)]
    labels = [f"{label}: " if label else "" for label in labels]
    further = [] if want.variadic is None else [f"{want.variadic}{REST}"]
    written = [f"{label}{text(one)}" for label, one in zip(labels, wanted, strict=True)]
    lines = (f"have: {parameters(have)}", f"want: ({', '.join([*written, *further])})")
    if max(map(len, lines)) > MAX_LINE:
        lines = _contrasted_arguments(have, wanted, labels, want.variadic)
    record = {"have": list(map(type_json, have)), "want": parameters_json(name, want, with_result=with_result)}
    return PolicyError(TYPE, f"{name}: {message}", at=at, details=lines, record=record)


def _contrasted_arguments(
    have: Sequence[Inferred], wanted: Sequence[Inferred], labels: Sequence[str], variadic: Inferred
) -> tuple[str, str]:
    left = [short(one) for one in have]
    right = [short(one, label) for label, one in zip(labels, wanted, strict=True)]
    for i, (one, other) in enumerate(zip(have, wanted, strict=False)):
        if one is None or other is None or not overlaps(one, other):
            left[i], shown = contrast(one, other)
            right[i] = f"{labels[i]}{shown}"
    further = [] if variadic is None else [f"{short(variadic)}{REST}"]
    return f"have: ({', '.join(left)})", f"want: ({', '.join([*right, *further])})"


def not_a_collection(ref: Ref, position: int, have: Type) -> PolicyError:
    """A reference that goes on behind what has no parts: a scalar, or a function that is not called."""
    terms = ref.terms
    caret = "^" * len(ref_text(terms[: position + 1]))
    details = (ref_text(terms), caret, f"have: {have}")
    record = {"ref": terms_json(terms), "pos": position, "have": type_json(have)}
    if isinstance(have, Function):
        message = f"function {ref_text(terms)} used as reference, not called"
        hint = f"call it: `{ref_text(terms[: position + 1])}({', '.join('_' * len(have.args))})`"
        return PolicyError(TYPE, message, at=ref.span, details=details, hint=hint, record=record)
    return PolicyError(TYPE, f"undefined ref: {ref_text(terms)}", at=ref.span, details=details, record=record)


def no_such_key(
    ref: Ref, position: int, *, have: Inferred = None, want: Inferred = None, one_of: Iterable[Key] = ()
) -> PolicyError:
    """A reference with an operand that what stands before it cannot have.

    Args:
        ref: the reference.
        position: the number of the operand.
        have: the type of the operand, for one that is no constant.
        want: the type that keys have.
        one_of: the keys that there are.
    """
    terms = ref.terms
    pad = " " * (len(ref_text(terms[:position])) + 1)
    found = f"have: {part_text(terms[position])}" if have is None else f"have (type): {have}"
    keys = sorted(set(one_of))
    wanted = f"want (type): {want}"
    if keys or want is None:
        wanted = f"want (one of): [{' '.join(map(constants.spelled, keys))}]"
    details = (ref_text(terms), f"{pad}^", f"{pad}{found}", f"{pad}{wanted}")
    hint = _nearest_key(terms[position], keys)
    record: dict[str, object] = {"ref": terms_json(terms), "pos": position}
    record |= {} if have is None else {"have": type_json(have)}
    record |= {"want": type_json(want), "oneOf": list(map(constant_json, keys)) or None}
    return PolicyError(
        TYPE, f"undefined ref: {ref_text(terms)}", at=ref.span, details=details, hint=hint, record=record
    )


def _nearest_key(operand: Term, keys: Iterable[Key]) -> str | None:
    written = getattr(operand, "value", None)
    if not isinstance(written, str):
        return None
    return did_you_mean(written, [str(key[1]) for key in keys if key[0] == constants.STRING])


def short(one: Inferred, label: str = "") -> str:
    """A type in full if it is short with its label, else without its parts."""
    full = f"{label}{text(one)}"
    return full if len(full) <= MAX_PART or one is None else f"{label}{elided(one, 0)}"


def elided(one: Inferred, depth: int) -> str:
    """A type with what nests deeper than a number of levels left out."""
    elide = _ELISIONS.get(type(one))
    return elide(one, depth) if elide is not None else text(one)


def _inner(one: Inferred, depth: int) -> str:
    return REST if depth == 0 else elided(one, depth - 1)


def _elided_parts(parts: Sequence[Inferred], depth: int) -> list[str]:
    return [REST] if depth == 0 and parts else [elided(part, depth - 1) for part in parts]


def _elided_set(one: Set, depth: int) -> str:
    return "set" if one.of is None else f"set[{_inner(one.of, depth)}]"


def _elided_array(one: Array, depth: int) -> str:
    dynamic = "" if one.dynamic is None else _inner(one.dynamic, depth)
    return composite("array", _elided_parts(one.static, depth), dynamic)


def _elided_object(one: Object, depth: int) -> str:
    static = (
        [_property(key, elided(value, depth - 1)) for key, value in one.static] if depth else [REST] * bool(one.static)
    )
    dynamic = ""
    if one.dynamic is not None:
        dynamic = ": ".join(elided(part, depth - 1) for part in one.dynamic) if depth else REST
    return composite("object", static, dynamic)


def _elided_any(one: Union, depth: int) -> str:
    return _any(_elided_parts(one.of, depth))


def _elided_function(one: Function, depth: int) -> str:
    args = _elided_parts((*one.args, *([one.variadic] if one.variadic is not None else [])), depth)
    return _function(args, REST if depth == 0 and one.result is not None else elided(one.result, depth - 1))


_ELISIONS: Final[Mapping[type, Callable[[Any, int], str]]] = {
    Set: _elided_set,
    Array: _elided_array,
    Object: _elided_object,
    Union: _elided_any,
    Function: _elided_function,
}


def _property(key: Key, value: str) -> str:
    return f"{constants.bare(key)}: {value}"


def _any(members: Sequence[str]) -> str:
    return f"any<{', '.join(members)}>" if members else "any"


def _function(args: Sequence[str], result: str) -> str:
    return f"({', '.join(args)}) => {result}"


def contrast(a: Inferred, b: Inferred, depth: int = 0) -> tuple[str, str]:
    """Two types as far as they differ."""
    if a is None or b is None or depth >= MAX_CONTRAST or type(a) is not type(b) or str(a) == str(b):
        return short(a), short(b)
    compare = _CONTRASTS.get(type(a))
    return compare(a, b, depth) if compare is not None else (short(a), short(b))


def _contrast_sets(a: Set, b: Set, depth: int) -> tuple[str, str]:
    if a.of is None or b.of is None:
        return short(a), short(b)
    left, right = contrast(a.of, b.of, depth + 1)
    return f"set[{left}]", f"set[{right}]"


def _contrast_arrays(a: Array, b: Array, depth: int) -> tuple[str, str]:
    if len(a.static) != len(b.static) or (a.dynamic is None) != (b.dynamic is None):
        return elided(a, 1), elided(b, 1)
    left, right = _contrast_all(a.static, b.static, depth)
    ends = ("", "") if a.dynamic is None else contrast(a.dynamic, b.dynamic, depth + 1)
    return composite("array", left, ends[0]), composite("array", right, ends[1])


def _contrast_all(a: Sequence[Inferred], b: Sequence[Inferred], depth: int) -> tuple[list[str], list[str]]:
    pairs = [contrast(one, other, depth + 1) for one, other in zip(a, b, strict=True)]
    return [left for left, _ in pairs], [right for _, right in pairs]


def _contrast_objects(a: Object, b: Object, depth: int) -> tuple[str, str]:
    left: list[str] = []
    right: list[str] = []
    same = False
    for key in sorted({*a.by_key, *b.by_key}):
        if key not in b.by_key:
            left.append(_property(key, short(a.by_key[key])))
        elif key not in a.by_key:
            right.append(_property(key, short(b.by_key[key])))
        elif text(a.by_key[key]) == text(b.by_key[key]):
            same = True
        else:
            mine, theirs = contrast(a.by_key[key], b.by_key[key], depth + 1)
            left.append(_property(key, mine))
            right.append(_property(key, theirs))
    rest = [REST] * same
    ends = _contrast_ends(a, b, depth)
    return composite("object", left + rest, ends[0]), composite("object", right + rest, ends[1])


def _contrast_ends(a: Object, b: Object, depth: int) -> tuple[str, str]:
    if a.dynamic is not None and b.dynamic is not None:
        left, right = _contrast_all(a.dynamic, b.dynamic, depth)
        return ": ".join(left), ": ".join(right)
    return _end(a), _end(b)


def _end(one: Object) -> str:
    return "" if one.dynamic is None else ": ".join(map(short, one.dynamic))


def _contrast_any(a: Union, b: Union, _depth: int) -> tuple[str, str]:
    left, right = [[short(part) for part in one.of if part not in other.of] for one, other in ((a, b), (b, a))]
    rest = [REST] * (len(left) < len(a.of))
    return _any(left + rest), _any(right + rest)


def _contrast_functions(a: Function, b: Function, depth: int) -> tuple[str, str]:
    if len(a.args) != len(b.args):
        return short(a), short(b)
    left, right = _contrast_all(a.args, b.args, depth)
    results = contrast(a.result, b.result, depth + 1)
    return _function(left, results[0]), _function(right, results[1])


_CONTRASTS: Final[Mapping[type, Callable[[Any, Any, int], tuple[str, str]]]] = {
    Set: _contrast_sets,
    Array: _contrast_arrays,
    Object: _contrast_objects,
    Union: _contrast_any,
    Function: _contrast_functions,
}
