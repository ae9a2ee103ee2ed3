"""Metadata blocks as the JSON that `opa parse` prints."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from procurator_rules.nodes import Annotation, Number, Ref, SchemaAnnotation, Term

TermsEncoder: TypeAlias = Callable[[Iterable[Term]], list[dict[str, Any]]]

UNSORTED: Final = frozenset({"authors", "compile"})
"""Fields whose parts keep the order of Go's records; the rest are maps, which Go sorts."""

SMALLEST_PLAIN: Final = 1e-6
LARGEST_PLAIN: Final = 1e21


def annotation_json(one: Annotation, terms: TermsEncoder, path_terms: TermsEncoder) -> dict[str, Any]:
    """The fields of a block that hold something, in order.

    Args:
        one: the block.
        terms: encodes the operands of references.
        path_terms: the same for the paths of schemas, which have no locations.
    """
    fields = {
        **{key: _value(value, terms, in_order=key not in UNSORTED) for key, value in one.fields.items()},
        "scope": one.scope,
        "schemas": [_schema(schema, terms, path_terms) for schema in one.schemas],
    }
    return {key: fields[key] for key in sorted(fields) if fields[key]}


def annotation_text(one: Annotation) -> str:
    """The text that OPA has for a block: its lines, put together anew."""
    lines = [line.rstrip("\r")[1:].removeprefix(" ") for line in one.span.text.split("\n")[1:]]
    return "\n".join(["# METADATA", *(f"# {line}" for line in lines)])


def _schema(one: SchemaAnnotation, terms: TermsEncoder, path_terms: TermsEncoder) -> dict[str, Any]:
    path = path_terms(one.path.terms)
    if one.schema is not None:
        return {"path": path, "schema": terms(one.schema.terms)}
    return {"path": path, "definition": _value(one.definition, terms, in_order=True)}


def _value(value: object, terms: TermsEncoder, *, in_order: bool) -> Any:
    if isinstance(value, Ref):
        return terms(value.terms)
    if isinstance(value, Mapping):
        keys = sorted(value) if in_order else value
        return {key: _value(value[key], terms, in_order=in_order) for key in keys}
    if isinstance(value, list | tuple):
        return [_value(part, terms, in_order=in_order) for part in value]
    return value if value is None or isinstance(value, bool | str) else go_number(value)


def go_number(value: object) -> Number:
    """A number of YAML as Go prints it in JSON."""
    if not isinstance(value, float):
        return Number(str(value))
    if value == 0 or SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        text = format(Decimal(repr(value)), "f")
        return Number(text.removesuffix(".0"))
    mantissa, _, exponent = repr(value).partition("e")
    return Number(f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}")
