"""Schemas in: documents read into nodes, with the refusals of OPA's validator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from procurator.builtins._jsonschema.documents import comparable
from procurator.builtins._jsonschema.nodes import Document, Node, SchemaError
from procurator.builtins._jsonschema.references import MIXED, References, draft_of
from procurator.builtins.re2_patterns import PatternError, compile_test
from procurator.numbers import Number
from procurator.values import bounded, compare, type_name

TYPES: Final = ("array", "boolean", "integer", "number", "null", "object", "string")
_SCHEMA: Final = "Valid Schema"
_INT64: Final = range(-(1 << 63), 1 << 63)


@bounded
def load_schema(root: Document) -> Node:
    """The node of a schema and all it refers to."""
    draft = draft_of(root)
    return _Loader(draft, References(root, draft), {}).node(root)


@dataclass(frozen=True)
class _Loader:
    """Reads one schema and what stands in it; `base` of the references moves with `$id`."""

    draft: int
    references: References
    targets: dict[int, Node]

    def node(self, schema: Document) -> Node:
        if isinstance(schema, bool) and self.draft >= 6:
            return Node(always=schema)
        if not isinstance(schema, dict):
            raise SchemaError(f"Expected: {_SCHEMA}, given: Invalid JSON")
        node = Node()
        here = _Loader(self.draft, self.references.within(schema), self.targets)
        for keyword, since, read in _READERS:
            if keyword in schema and self.draft >= since:
                read(here, node, schema[keyword], schema)
                if node.target is not None:
                    break
        return node

    def nodes(self, keyword: str, schemas: Document) -> list[Node]:
        return [self.node(schema) for schema in _array(keyword, schemas)]

    def target(self, reference: str) -> Node:
        """The node referred to; the same one each time, so that schemas may refer to themselves."""
        found = self.references.lookup(reference)
        if not _is_schema(found.schema):
            raise SchemaError(f"{_SCHEMA} must be of type object")
        if id(found.schema) not in self.targets:
            self.targets[id(found.schema)] = node = Node()
            draft = self.draft if found.draft is None else found.draft
            node.target = _Loader(draft, found.references, self.targets).node(found.schema)
        return self.targets[id(found.schema)]


Reader = Callable[[_Loader, Node, Document, dict[str, Document]], None]


def _invalid_type(expected: str, given: str) -> SchemaError:
    return SchemaError(f"Invalid type. Expected: {expected}, given: {given}")


def _is_schema(value: Document) -> bool:
    return isinstance(value, (dict, bool))


def _array(keyword: str, value: Document) -> list[Document]:
    if not isinstance(value, list):
        raise SchemaError(f"{keyword} must be of an array")
    return value


def _checked_string(keyword: str) -> Reader:
    def read(_loader: _Loader, _node: Node, value: Document, _schema: dict[str, Document]) -> None:
        if not isinstance(value, str):
            raise _invalid_type("string", keyword)

    return read


def _old_identifier(loader: _Loader, _node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if loader.draft in (4, MIXED) and not isinstance(value, str):
        raise _invalid_type("string", "id")


def _definitions(loader: _Loader, _node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, dict) or not all(map(_is_schema, value.values())):
        raise _invalid_type("Array Of Schemas", "definitions")
    for name in sorted(value):
        loader.node(value[name])


def _reference(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, str):
        raise _invalid_type("string", "$ref")
    node.target = loader.target(value)


def _types(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    for name in value if isinstance(value, list) else [value]:
        if not isinstance(name, str):
            raise _invalid_type("type", "string/Array Of Strings")
        if name not in TYPES:
            shown = "[" + " ".join(TYPES) + "]"
            raise SchemaError(
                f"has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:{shown}"
            )
        if name in node.types:
            raise SchemaError(f"{name} type is duplicated")
        node.types.append(name)


def _properties(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, dict):
        raise SchemaError("Properties must be of type object")
    node.properties = {name: loader.node(value[name]) for name in sorted(value)}


def _pattern_properties(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, dict):
        raise _invalid_type(_SCHEMA, "patternProperties")
    for pattern in sorted(value):
        if not _is_pattern(pattern):
            raise SchemaError(f"Invalid regex pattern '{pattern}'")
        node.pattern_properties[pattern] = loader.node(value[pattern])


def _is_pattern(text: str) -> bool:
    try:
        compile_test(text)
    except PatternError:
        return False
    return True


def _pattern(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, str):
        raise _invalid_type("string", "pattern")
    if not _is_pattern(value):
        raise SchemaError("pattern must be a valid regex")
    node.pattern = value


def _format(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, str):
        raise _invalid_type("string", "format")
    node.format = value


def _additional(keyword: str, field: str) -> Reader:
    def read(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
        if not _is_schema(value):
            raise _invalid_type(f"boolean/{_SCHEMA}", keyword)
        setattr(node, field, value if isinstance(value, bool) else loader.node(value))

    return read


def _property_names(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not _is_schema(value):
        raise _invalid_type(_SCHEMA, "patternProperties")
    node.property_names = loader.node(value)


def _dependencies(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, dict):
        raise SchemaError("dependencies must be of type object")
    for name in sorted(value):
        told = value[name]
        if isinstance(told, list) and all(isinstance(item, str) for item in told):
            node.dependencies[name] = told
        elif _is_schema(told):
            node.dependencies[name] = loader.node(told)
        else:
            raise SchemaError("Dependency must be of type Schema Or Array Of Strings")


def _items(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not all(map(_is_schema, value if isinstance(value, list) else [value])):
        raise _invalid_type(f"{_SCHEMA}/Array Of Schemas", "items")
    node.items = [loader.node(item) for item in value] if isinstance(value, list) else loader.node(value)


def _multiple_of(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if type_name(value) != "number":
        raise _invalid_type("Number", "multipleOf")
    if compare(value, 0) <= 0:
        raise SchemaError("multipleOf must be strictly greater than 0")
    node.multiple_of = value


def _bound(keyword: str) -> Reader:
    def read(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
        if type_name(value) != "number":
            raise SchemaError(f"{keyword} must be of a Number")
        setattr(node, keyword, value)

    return read


def _exclusive_bound(keyword: str, bound: str, field: str) -> Reader:
    def read(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
        if isinstance(value, bool) and (loader.draft in (4, MIXED)):
            _take_exclusive(node, keyword, bound, field, value)
        elif type_name(value) == "number" and loader.draft != 4:
            setattr(node, field, value)
        else:
            expected = {4: "boolean", 6: "number", 7: "number"}.get(loader.draft, "boolean/number")
            raise _invalid_type(expected, keyword)

    return read


def _take_exclusive(node: Node, keyword: str, bound: str, field: str, exclusive: bool) -> None:
    """Draft 4 says with a boolean that the bound itself is excluded."""
    limit: Number | None = getattr(node, bound)
    if limit is None:
        raise SchemaError(f"{keyword} cannot be used without {bound}")
    if exclusive:
        setattr(node, field, limit)
        setattr(node, bound, None)


def _size(keyword: str, field: str) -> Reader:
    def read(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
        if type(value) is not int or value not in _INT64:
            raise SchemaError(f"{keyword} must be of an integer")
        if value < 0:
            raise SchemaError(f"{keyword} must be greater than or equal to 0")
        setattr(node, field, value)

    return read


def _largest(keyword: str, field: str, smallest_keyword: str, smallest: str) -> Reader:
    plain = _size(keyword, field)

    def read(loader: _Loader, node: Node, value: Document, schema: dict[str, Document]) -> None:
        plain(loader, node, value, schema)
        low = getattr(node, smallest)
        if low is not None and low > value:
            raise SchemaError(f"{smallest_keyword} cannot be greater than {keyword}")

    return read


def _required(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    for name in _array("required", value):
        if not isinstance(name, str):
            raise _invalid_type("string", "required")
        if name in node.required:
            raise SchemaError("required items must be unique")
        node.required.append(name)


def _unique_items(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    if not isinstance(value, bool):
        raise SchemaError("uniqueItems must be of a boolean")
    node.unique_items = value


def _contains(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    node.contains = loader.node(value)


def _const(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    node.const = comparable(value)


def _enum(_loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
    node.enum = [comparable(item) for item in _array("enum", value)]
    if len(set(node.enum)) < len(node.enum):
        raise SchemaError("enum items must be unique")


def _several(keyword: str, field: str) -> Reader:
    def read(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
        setattr(node, field, loader.nodes(keyword, value))

    return read


def _one(keyword: str, field: str) -> Reader:
    def read(loader: _Loader, node: Node, value: Document, _schema: dict[str, Document]) -> None:
        if not _is_schema(value):
            raise SchemaError(f"{keyword} must be of an object")
        setattr(node, field, loader.node(value))

    return read


# In the order in which a malformed schema is told about: keyword, the draft that brought it, reader.
_READERS: Final[tuple[tuple[str, int, Reader], ...]] = (
    ("id", 4, _old_identifier),
    ("$id", 6, _checked_string("$id")),
    ("definitions", 4, _definitions),
    ("title", 4, _checked_string("title")),
    ("description", 4, _checked_string("description")),
    ("$ref", 4, _reference),
    ("type", 4, _types),
    ("properties", 4, _properties),
    ("additionalProperties", 4, _additional("additionalProperties", "additional_properties")),
    ("patternProperties", 4, _pattern_properties),
    ("propertyNames", 6, _property_names),
    ("dependencies", 4, _dependencies),
    ("items", 4, _items),
    ("additionalItems", 4, _additional("additionalItems", "additional_items")),
    ("multipleOf", 4, _multiple_of),
    ("minimum", 4, _bound("minimum")),
    ("exclusiveMinimum", 4, _exclusive_bound("exclusiveMinimum", "minimum", "exclusive_minimum")),
    ("maximum", 4, _bound("maximum")),
    ("exclusiveMaximum", 4, _exclusive_bound("exclusiveMaximum", "maximum", "exclusive_maximum")),
    ("minLength", 4, _size("minLength", "min_length")),
    ("maxLength", 4, _largest("maxLength", "max_length", "minLength", "min_length")),
    ("pattern", 4, _pattern),
    ("format", 4, _format),
    ("minProperties", 4, _size("minProperties", "min_properties")),
    ("maxProperties", 4, _largest("maxProperties", "max_properties", "minProperties", "min_properties")),
    ("required", 4, _required),
    ("minItems", 4, _size("minItems", "min_items")),
    ("maxItems", 4, _size("maxItems", "max_items")),
    ("uniqueItems", 4, _unique_items),
    ("contains", 6, _contains),
    ("const", 6, _const),
    ("enum", 4, _enum),
    ("oneOf", 4, _several("oneOf", "one_of")),
    ("anyOf", 4, _several("anyOf", "any_of")),
    ("allOf", 4, _several("allOf", "all_of")),
    ("not", 4, _one("not", "negated")),
    ("if", 7, _one("if", "condition")),
    ("then", 7, _one("then", "consequence")),
    ("else", 7, _one("else", "alternative")),
)
