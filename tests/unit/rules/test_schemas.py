"""JSON Schema -> type."""

from __future__ import annotations

from typing import Any

import pytest

from procurator_rules.errors import PolicyError
from procurator_rules.schemas import type_of_schema

OBJECT = {"type": "object"}
A = {"properties": {"a": {"type": "string"}}}
B = {"properties": {"b": {"type": "number"}}}
NODE = {"properties": {"next": {"$ref": "#/$defs/node"}, "v": {"type": "number"}}}

TYPES: list[tuple[Any, str]] = [
    (True, "any"),
    ({}, "any"),
    ({"type": "string"}, "string"),
    ({"type": "integer"}, "number"),
    ({"type": "null"}, "any"),
    ({"type": ["null", "string"]}, "string"),
    ({"type": ["number", "boolean"]}, "boolean"),
    (OBJECT, "object[any: any]"),
    (A, "object<a: string>"),
    ({**A, "additionalProperties": True}, "object<a: string>"),
    ({"type": "array"}, "array[any]"),
    ({"items": {"type": "number"}}, "array[number]"),
    ({"items": [{"type": "number"}, {}]}, "array<number, any>"),
    ({"oneOf": [{"type": "string"}]}, "any"),
    ({"enum": ["a"]}, "any"),
    ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "any<number, string>"),
    ({**A, **OBJECT, "anyOf": [B, {"type": "string"}]}, "any<string, object<a: string>, object<b: number>>"),
    ({**OBJECT, "anyOf": [{"type": "string"}]}, "string"),
    ({"anyOf": [{}, {"type": "string"}]}, "any"),
    ({"allOf": [A, B]}, "object<a: string, b: number>"),
    ({**B, **OBJECT, "allOf": [A]}, "object<a: string, b: number>"),
    ({"allOf": [{"items": [{"type": "string"}]}, {"items": [{"type": "string"}, {}]}]}, "array<string, any>"),
    ({"allOf": [{"anyOf": [{"type": "string"}]}]}, "any"),
    ({"allOf": [{"$ref": "#/definitions/x"}, B], "definitions": {"x": A}}, "object<a: string, b: number>"),
    ({"properties": {"a": {"$ref": "#/$defs/y"}}, "$defs": {"y": {"type": "number"}}}, "object<a: number>"),
    ({"properties": {"a": {"$ref": "#/$defs/a~1b%20c"}}, "$defs": {"a/b c": OBJECT}}, "object<a: object[any: any]>"),
    ({"properties": {"a": {"$ref": "#/$defs/y", "enum": []}}, "$defs": {"y": OBJECT}}, "object<a: object[any: any]>"),
    (
        {"$id": "http://a.b/root.json", "properties": {"a": {"$ref": "item.json"}, "b": {"$ref": "#foo"}},
         "definitions": {"i": {"$id": "item.json", "type": "string"}, "f": {"$id": "#foo", "type": "number"}}},
        "object<a: string, b: number>",
    ),
    ({"$id": "http://x.y/s", "properties": {"a": {"$ref": "#"}}}, "object<a: object<a: recursive(http://x.y/s)>>"),
    ({"properties": {"n": {"$ref": "#/$defs/node"}}, "$defs": {"node": NODE}},
     "object<n: object<next: recursive(#/$defs/node), v: number>>"),
    ({"anyOf": [{"$ref": "#"}, {"type": "string"}]}, "string"),
    ({"properties": {"a": {"$ref": "#/properties/a"}}}, "object<a: recursive(#/properties/a)>"),
    ({"properties": {"a": {"$ref": "http://json-schema.org/draft-07/schema#"}}}, "object<a: any>"),
    ({"pattern": "(?!x)", "minLength": 1, "format": "email"}, "any"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "wanted"), TYPES)
def test_types(schema: Any, wanted: str) -> None:
    """Each keyword that narrows a type."""
    assert str(type_of_schema(schema)) == wanted


COMPILE = "unable to compile the schema: "
PROBLEMS: list[tuple[Any, str]] = [
    (None, f"{COMPILE}no schema as input to compile"),
    ([], f"{COMPILE}schema is invalid"),
    ({"type": "text"}, (f"{COMPILE}has a primitive type that is NOT VALID -- given: /text/"
     " Expected valid values are:[array boolean integer number null object string]")),
    ({"type": 1}, f"{COMPILE}Invalid type. Expected: type, given: string/Array Of Strings"),
    ({"type": ["string", "string"]}, f"{COMPILE}string type is duplicated"),
    ({"properties": []}, f"{COMPILE}Properties must be of type object"),
    ({"properties": {"a": 1}}, f"{COMPILE}Expected: Valid Schema, given: Invalid JSON"),
    ({"items": 1}, f"{COMPILE}Invalid type. Expected: Valid Schema/Array Of Schemas, given: items"),
    ({"required": [1]}, f"{COMPILE}Invalid type. Expected: string, given: required"),
    ({"required": ["a", "a"]}, f"{COMPILE}required items must be unique"),
    ({"enum": 1}, f"{COMPILE}enum must be of an array"),
    ({"minLength": -1}, f"{COMPILE}minLength must be greater than or equal to 0"),
    ({"minItems": 1.5}, f"{COMPILE}minItems must be of an integer"),
    ({"minimum": "a"}, f"{COMPILE}minimum must be of a Number"),
    ({"multipleOf": 0}, f"{COMPILE}multipleOf must be strictly greater than 0"),
    ({"minLength": 3, "maxLength": 1}, f"{COMPILE}minLength cannot be greater than maxLength"),
    ({"exclusiveMinimum": True}, f"{COMPILE}exclusiveMinimum cannot be used without minimum"),
    ({"uniqueItems": 1}, f"{COMPILE}uniqueItems must be of a boolean"),
    ({"definitions": {"a": 1}}, f"{COMPILE}Invalid type. Expected: Array Of Schemas, given: definitions"),
    ({"dependencies": {"a": 1}}, f"{COMPILE}Dependency must be of type Schema Or Array Of Strings"),
    ({"patternProperties": {"(": {}}}, f"{COMPILE}Invalid regex pattern '('"),
    ({"not": {"if": 1}}, f"{COMPILE}if must be of an object"),
    ({"anyOf": [1]}, f"{COMPILE}Expected: Valid Schema, given: Invalid JSON"),
    ({"title": 1}, f"{COMPILE}Invalid type. Expected: string, given: title"),
    ({"$schema": 1}, f"{COMPILE}$schema must be of type string"),
    ({"$ref": 1}, f"{COMPILE}Invalid type. Expected: string, given: $ref"),
    ({"oneOf": [{"$ref": "#/definitions/x"}]}, f"{COMPILE}Object has no key 'definitions'"),
    ({"$ref": "#/type/x", "type": "object"}, f"{COMPILE}Invalid token reference 'x'"),
    ({"allOf": [{"$ref": "#/allOf/7"}]}, f"{COMPILE}Out of bound array[0,1] index '7'"),
    ({"$ref": "x.json"}, f"{COMPILE}Reference /x.json must be canonical"),
    ({"$ref": "file:///etc/passwd"}, f"{COMPILE}remote reference loading disabled: file:///etc/passwd"),
    ({"allOf": [{"type": "string"}, {"type": "number"}]},
     "type checking: unable to merge these schemas: type mismatch: string and number"),
    ({"type": "string", "allOf": [{"type": "number"}]}, "type checking: unable to merge these schemas"),
    ({"allOf": [{"items": [{"type": "string"}]}, {"items": [{"type": "number"}]}]},
     "type checking: unable to merge these schemas"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "message"), PROBLEMS)
def test_problems(schema: Any, message: str) -> None:
    """What is no schema is refused, however deep it stands."""
    with pytest.raises(PolicyError) as caught:
        type_of_schema(schema)
    assert (caught.value.code, caught.value.message, caught.value.location) == ("rego_type_error", message, None)


@pytest.mark.parametrize(
    ("allow_net", "reason"),
    [
        (frozenset[str](), "disabled"),
        (frozenset({"other.org"}), "disabled"),
        (frozenset({"x.org"}), "not available"),
        (None, "not available"),
    ],
)
def test_nothing_is_fetched(allow_net: frozenset[str] | None, reason: str) -> None:
    """A reference into the net is refused, in words that tell whether the capabilities or we do so."""
    with pytest.raises(PolicyError, match=f"^.*: remote reference loading {reason}: https://x.org/a.json"):
        type_of_schema({"properties": {"a": {"$ref": "https://x.org/a.json"}}}, allow_net)


def test_deep_schemas() -> None:
    """Neither a deep schema nor a long chain of references costs more than it is worth."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(400):
        deep = {"properties": {"a": deep}}
    assert str(type_of_schema(deep)).startswith("object<a: object<a: ")
    definitions = {f"d{i}": {"anyOf": [{"$ref": f"#/definitions/d{i + 1}"}] * 2} for i in range(20)}
    chained = {"definitions": {**definitions, "d20": {"type": "string"}}, "$ref": "#/definitions/d0"}
    assert str(type_of_schema(chained)) == "string"
