"""A schema applied to a document: its errors in the order and words of OPA's validator.

Where alternatives all fail, the errors of the closest one are told. Closeness is a score: a point for every part of a
schema gone through, two lost for every error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from procurator.builtins._jsonschema.documents import comparable, kind_of
from procurator.builtins._jsonschema.formats import FORMATS
from procurator.builtins._jsonschema.nodes import Document, Node
from procurator.builtins.go_number import general
from procurator.builtins.re2_patterns import matches
from procurator.numbers import Number, exact
from procurator.values import DepthError, bounded, compare

_ROOT: Final = "(Root)"
_MAX_REFERENCES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """A place of the document that breaks the schema."""

    kind: str
    field: str
    description: str


@dataclass(slots=True)
class Result:
    """The errors found so far and the score."""

    faults: list[Fault] = field(default_factory=list)
    score: int = 0

    def fault(self, kind: str, path: str, description: str) -> None:
        """Add an error."""
        self.faults.append(Fault(kind, path.removeprefix(f"{_ROOT}."), description))
        self.score -= 2

    def merge(self, other: Result) -> None:
        """Take over the errors and the score of a part."""
        self.faults.extend(other.faults)
        self.score += other.score


@bounded
def validate(node: Node, document: Document) -> list[Fault]:
    """The errors of a document."""
    return _applied(node, document, _ROOT).faults


def _applied(node: Node, value: Document, path: str) -> Result:
    result = Result()
    _apply(node, value, path, result)
    return result


def _apply(node: Node, value: Document, path: str, result: Result) -> None:
    node = _meant(node)
    if node.always is not None:
        if not node.always:
            result.fault("false", path, "False always fails validation")
        return
    kind = kind_of(value)
    if node.types and kind not in node.types and not (kind == "integer" and "number" in node.types):
        expected = node.types[0] if len(node.types) == 1 else f"[{','.join(node.types)}]"
        result.fault("invalid_type", path, f"Invalid type. Expected: {expected}, given: {kind}")
        return
    for check in _CHECKS[kind]:
        check(node, value, path, result)
        result.score += 1
    if isinstance(value, dict):
        for name, child in node.properties.items():
            if name in value:
                _apply(child, value[name], f"{path}.{name}", result)
    result.score += 1


def _meant(node: Node) -> Node:
    """The schema that a chain of references ends at."""
    for _ in range(_MAX_REFERENCES):
        if node.target is None:
            return node
        node = node.target
    raise DepthError


# Schemas made of schemas


def _combined(node: Node, value: Document, path: str, result: Result) -> None:
    _any_of(node, value, path, result)
    _one_of(node, value, path, result)
    _all_of(node, value, path, result)
    if node.negated is not None and not _applied(node.negated, value, path).faults:
        result.fault("number_not", path, "Must not validate the schema (not)")
    if isinstance(value, dict):
        _dependent(node, value, path, result)
    if node.condition is not None:
        _conditional(node, node.condition, value, path, result)


def _closest(results: Iterable[Result]) -> Result | None:
    return max(results, key=lambda result: result.score, default=None)


def _any_of(node: Node, value: Document, path: str, result: Result) -> None:
    failed: list[Result] = []
    for option in node.any_of:
        outcome = _applied(option, value, path)
        if not outcome.faults:
            return
        failed.append(outcome)
    closest = _closest(failed)
    if closest is not None:
        result.fault("number_any_of", path, "Must validate at least one schema (anyOf)")
        result.merge(closest)


def _one_of(node: Node, value: Document, path: str, result: Result) -> None:
    outcomes = [_applied(option, value, path) for option in node.one_of]
    if not outcomes:
        return
    fitting = sum(not outcome.faults for outcome in outcomes)
    if fitting != 1:
        result.fault("number_one_of", path, "Must validate one and only one schema (oneOf)")
        closest = _closest(outcomes)
        if not fitting and closest is not None:
            result.merge(closest)


def _all_of(node: Node, value: Document, path: str, result: Result) -> None:
    outcomes = [_applied(part, value, path) for part in node.all_of]
    for outcome in outcomes:
        result.merge(outcome)
    if any(outcome.faults for outcome in outcomes):
        result.fault("number_all_of", path, "Must validate all the schemas (allOf)")


def _dependent(node: Node, value: dict[str, Document], path: str, result: Result) -> None:
    for name, needed in node.dependencies.items():
        if name not in value:
            continue
        if isinstance(needed, Node):
            _apply(needed, value, path, result)
            continue
        for other in needed:
            if other not in value:
                result.fault("missing_dependency", path, f"Has a dependency on {other}")


def _conditional(node: Node, condition: Node, value: Document, path: str, result: Result) -> None:
    holds = not _applied(condition, value, path).faults
    chosen = node.consequence if holds else node.alternative
    if chosen is None:
        return
    outcome = _applied(chosen, value, path)
    if outcome.faults:
        word, told = ("then", "was valid") if holds else ("else", "was not valid")
        result.fault(f"condition_{word}", path, f'Must validate "{word}" as "if" {told}')
        result.merge(outcome)


# Any value


def _common(node: Node, value: Document, path: str, result: Result) -> None:
    field_name = path.removeprefix(f"{_ROOT}.")
    if node.const is not None and comparable(value) != node.const:
        result.fault("const", path, f"{field_name} does not match: {node.const}")
    if node.enum is not None and comparable(value) not in node.enum:
        allowed = ", ".join(node.enum)
        result.fault("enum", path, f"{field_name} must be one of the following: {allowed}")
    accepts = FORMATS.get(node.format)
    if accepts is not None and isinstance(value, str) and not accepts(value):
        result.fault("format", path, f"Does not match format '{node.format}'")


# Numbers and strings


def _number(node: Node, value: Number, path: str, result: Result) -> None:
    if node.multiple_of is not None and Fraction(exact(value)) % Fraction(exact(node.multiple_of)):
        result.fault("multiple_of", path, f"Must be a multiple of {_shown(node.multiple_of)}")
    for kind, words, bound, broken in (
        ("number_lte", "less than or equal to", node.maximum, (1,)),
        ("number_lt", "less than", node.exclusive_maximum, (0, 1)),
        ("number_gte", "greater than or equal to", node.minimum, (-1,)),
        ("number_gt", "greater than", node.exclusive_minimum, (-1, 0)),
    ):
        if bound is not None and compare(value, bound) in broken:
            result.fault(kind, path, f"Must be {words} {_shown(bound)}")


def _shown(number: Number) -> str:
    return general(number)


def _string(node: Node, value: str, path: str, result: Result) -> None:
    if node.min_length is not None and len(value) < node.min_length:
        result.fault("string_gte", path, f"String length must be greater than or equal to {node.min_length}")
    if node.max_length is not None and len(value) > node.max_length:
        result.fault("string_lte", path, f"String length must be less than or equal to {node.max_length}")
    if node.pattern is not None and not matches(node.pattern, value):
        result.fault("pattern", path, f"Does not match pattern '{node.pattern}'")


# Arrays


def _array(node: Node, value: list[Document], path: str, result: Result) -> None:
    for index, item in enumerate(value):
        schema = _item_schema(node, index)
        if schema is not None:
            result.merge(_applied(schema, item, f"{path}.{index}"))
    if isinstance(node.items, list) and 0 < len(node.items) < len(value) and node.additional_items is False:
        result.fault("array_no_additional_items", path, "No additional items allowed on array")
    if node.min_items is not None and len(value) < node.min_items:
        result.fault("array_min_items", path, f"Array must have at least {node.min_items} items")
    if node.max_items is not None and len(value) > node.max_items:
        result.fault("array_max_items", path, f"Array must have at most {node.max_items} items")
    if node.unique_items:
        _unique(value, path, result)
    if node.contains is not None:
        _contains(node.contains, value, path, result)


def _item_schema(node: Node, index: int) -> Node | None:
    if not isinstance(node.items, list):
        return node.items
    if index < len(node.items):
        return node.items[index]
    return node.additional_items if node.items and isinstance(node.additional_items, Node) else None


def _unique(value: list[Document], path: str, result: Result) -> None:
    seen: dict[str, int] = {}
    for index, item in enumerate(value):
        text = comparable(item)
        if text in seen:
            result.fault("unique", path, f"array items[{seen[text]},{index}] must be unique")
        seen[text] = index


def _contains(schema: Node, value: list[Document], path: str, result: Result) -> None:
    failed: list[Result] = []
    for index, item in enumerate(value):
        outcome = _applied(schema, item, f"{path}.{index}")
        if not outcome.faults:
            return
        failed.append(outcome)
    result.fault("contains", path, "At least one of the items must match")
    closest = _closest(failed)
    if closest is not None:
        result.merge(closest)


# Objects


def _object(node: Node, value: dict[str, Document], path: str, result: Result) -> None:
    if node.min_properties is not None and len(value) < node.min_properties:
        result.fault("array_min_properties", path, f"Must have at least {node.min_properties} properties")
    if node.max_properties is not None and len(value) > node.max_properties:
        result.fault("array_max_properties", path, f"Must have at most {node.max_properties} properties")
    for name in node.required:
        if name in value:
            result.score += 1
        else:
            result.fault("required", path, f"{name} is required")
    for name in sorted(value):
        _property(node, name, value[name], path, result)
    if node.property_names is not None:
        _property_names(node.property_names, value, path, result)


def _property(node: Node, name: str, value: Document, path: str, result: Result) -> None:
    inner = f"{path}.{name}"
    patterns = [schema for pattern, schema in node.pattern_properties.items() if matches(pattern, name)]
    for schema in patterns:
        result.merge(_applied(schema, value, inner))
    if patterns:
        result.score += 1
    elif name not in node.properties:
        if isinstance(node.additional_properties, Node):
            result.merge(_applied(node.additional_properties, value, inner))
        elif node.additional_properties is False:
            result.fault("additional_property_not_allowed", path, f"Additional property {name} is not allowed")


def _property_names(schema: Node, value: dict[str, Document], path: str, result: Result) -> None:
    for name in sorted(value):
        outcome = _applied(schema, name, path)
        if outcome.faults:
            result.fault("invalid_property_name", path, f'Property name of "{name}" does not match')
            result.merge(outcome)


Check = Callable[[Node, Document, str, Result], None]


_CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    "null": (_combined, _common),
    "boolean": (_combined, _common),
    "integer": (_combined, _number, _common),
    "number": (_combined, _number, _common),
    "string": (_combined, _common, _string),
    "array": (_combined, _array, _common),
    "object": (_combined, _object, _common),
}
