"""`json.match_schema` and `json.verify_schema`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from outcomes import Error, check, outcome

from procurator.builtins.json_schema import TABLE
from procurator.values import DepthError, Set

DRAFT_4 = "http://json-schema.org/draft-04/schema#"
DRAFT_6 = "http://json-schema.org/draft-06/schema#"


def errors(*told: tuple[str, str, str]) -> list[Any]:
    return [
        not told,
        [{"type": kind, "field": field, "desc": desc, "error": f"{field}: {desc}"} for kind, field, desc in told],
    ]


MATCH = [
    ({"id": 5}, {"required": ["id"], "properties": {"id": {"type": "integer"}}}, errors()),
    ('{"id": 5.0}', '{"properties": {"id": {"type": "integer"}}}', errors()),
    ({"id": "5"}, {"properties": {"id": {"type": ["integer", "null"]}}},
     errors(("invalid_type", "id", "Invalid type. Expected: [integer,null], given: string"))),
    ({}, {"required": ["id"]}, errors(("required", "(Root)", "id is required"))),
    ({"a": {"b": [1, "x"]}}, {"properties": {"a": {"properties": {"b": {"items": {"type": "integer"}}}}}},
     errors(("invalid_type", "a.b.1", "Invalid type. Expected: integer, given: string"))),
    ({"a": 1, "b": 2}, {"additionalProperties": False, "properties": {"a": {}}},
     errors(("additional_property_not_allowed", "(Root)", "Additional property b is not allowed"))),
    ({"ab": 1}, {"patternProperties": {"^a": {"minimum": 2}}},
     errors(("number_gte", "ab", "Must be greater than or equal to 2"))),
    ({"ab": 1}, {"propertyNames": {"maxLength": 1}},
     errors(("invalid_property_name", "(Root)", 'Property name of "ab" does not match'),
            ("string_lte", "(Root)", "String length must be less than or equal to 1"))),
    ({"a": 1}, {"dependencies": {"a": ["b"]}}, errors(("missing_dependency", "(Root)", "Has a dependency on b"))),
    ({"a": 1}, {"minProperties": 2}, errors(("array_min_properties", "(Root)", "Must have at least 2 properties"))),
    ([1, 1.0], {"uniqueItems": True}, errors(("unique", "(Root)", "array items[0,1] must be unique"))),
    ([1, "x"], {"items": [{"type": "integer"}], "additionalItems": False},
     errors(("array_no_additional_items", "(Root)", "No additional items allowed on array"))),
    ([], {"minItems": 1}, errors(("array_min_items", "(Root)", "Array must have at least 1 items"))),
    ([1], {"contains": {"type": "string"}},
     errors(("contains", "(Root)", "At least one of the items must match"),
            ("invalid_type", "0", "Invalid type. Expected: string, given: integer"))),
    ({"n": 7}, {"properties": {"n": {"multipleOf": 0.5, "maximum": 1000000, "exclusiveMinimum": 7}}},
     errors(("number_gt", "n", "Must be greater than 7"))),
    ({"n": 2000000}, {"properties": {"n": {"exclusiveMaximum": 1000000}}},
     errors(("number_lt", "n", "Must be less than 1e+06"))),
    ({"n": 0.3}, {"properties": {"n": {"multipleOf": 0.1}}}, errors()),
    ({"n": 1}, {"properties": {"n": {"minimum": 1, "exclusiveMinimum": True}}},
     errors(("number_gt", "n", "Must be greater than 1"))),
    ({"s": "éé"}, {"properties": {"s": {"minLength": 2, "pattern": "^a"}}},
     errors(("pattern", "s", "Does not match pattern '^a'"))),
    ({"s": "x"}, {"properties": {"s": {"enum": ["a", 1.0, {"k": "<"}]}}},
     errors(("enum", "s", 's must be one of the following: "a", 1, {"k":"\\u003c"}'))),
    ({"s": 2}, {"properties": {"s": {"const": 1}}}, errors(("const", "s", "s does not match: 1"))),
    ({"s": "x"}, {"properties": {"s": {"format": "date"}}}, errors(("format", "s", "Does not match format 'date'"))),
    ({"s": "x"}, {"properties": {"s": {"format": "no such format"}}}, errors()),
    ({"x": 1}, {"properties": {"x": False}}, errors(("false", "x", "False always fails validation"))),
    ({"x": 1}, {"not": {"required": ["x"]}}, errors(("number_not", "(Root)", "Must not validate the schema (not)"))),
    ({"x": 1}, {"anyOf": [{"required": ["y", "z"]}, {"required": ["x", "y"]}]},
     errors(("number_any_of", "(Root)", "Must validate at least one schema (anyOf)"),
            ("required", "(Root)", "y is required"))),
    ({"x": 1}, {"oneOf": [{}, {}]},
     errors(("number_one_of", "(Root)", "Must validate one and only one schema (oneOf)"))),
    ({"x": 1}, {"allOf": [{"required": ["y"]}, {}]},
     errors(("required", "(Root)", "y is required"),
            ("number_all_of", "(Root)", "Must validate all the schemas (allOf)"))),
    ({"x": 1}, {"if": {"required": ["x"]}, "then": {"required": ["y"]}},
     errors(("condition_then", "(Root)", 'Must validate "then" as "if" was valid'),
            ("required", "(Root)", "y is required"))),
    ({"x": 1}, {"if": {"required": ["x"]}, "then": {"required": ["y"]}, "$schema": DRAFT_6}, errors()),
    ({"v": 1, "child": {"v": "x"}}, {"properties": {"child": {"$ref": "#"}, "v": {"type": "integer"}}},
     errors(("invalid_type", "child.v", "Invalid type. Expected: integer, given: string"))),
    ({"v": 1}, {"$id": "http://a/b", "properties": {"v": {"$ref": "c"}},
                "definitions": {"d": {"$id": "c", "type": "null"}}},
     errors(("invalid_type", "v", "Invalid type. Expected: null, given: integer"))),
    ({"type": 1}, {"$ref": "http://json-schema.org/draft-07/schema#"}, None),
    ({"tags": Set([1])}, {"properties": {"tags": {"type": "array"}}}, errors()),
    ("{", {}, Error("invalid JSON string")),
    (1, {}, Error("wrong type, expected string or object")),
    ({}, True, Error("wrong type, expected string or object")),
    ({}, {"type": "x"}, Error(
        "has a primitive type that is NOT VALID -- given: /x/ Expected valid values are:"
        "[array boolean integer number null object string]")),
]  # fmt: skip

MALFORMED = [
    ({"type": ["string", "string"]}, "string type is duplicated"),
    ({"type": [1]}, "Invalid type. Expected: type, given: string/Array Of Strings"),
    ({"properties": {"a": 1}}, "Expected: Valid Schema, given: Invalid JSON"),
    ({"properties": 1}, "Properties must be of type object"),
    ({"additionalProperties": 1}, "Invalid type. Expected: boolean/Valid Schema, given: additionalProperties"),
    ({"patternProperties": {"[": {}}}, "Invalid regex pattern '['"),
    ({"dependencies": {"a": 1}}, "Dependency must be of type Schema Or Array Of Strings"),
    ({"items": 1}, "Invalid type. Expected: Valid Schema/Array Of Schemas, given: items"),
    ({"multipleOf": 0}, "multipleOf must be strictly greater than 0"),
    ({"minimum": "1"}, "minimum must be of a Number"),
    ({"exclusiveMinimum": True}, "exclusiveMinimum cannot be used without minimum"),
    ({"exclusiveMinimum": 1, "$schema": DRAFT_4}, "Invalid type. Expected: boolean, given: exclusiveMinimum"),
    ({"minLength": -1}, "minLength must be greater than or equal to 0"),
    ({"maxLength": 1.5}, "maxLength must be of an integer"),
    ({"minLength": 2, "maxLength": 1}, "minLength cannot be greater than maxLength"),
    ({"pattern": "("}, "pattern must be a valid regex"),
    ({"required": ["a", "a"]}, "required items must be unique"),
    ({"uniqueItems": 1}, "uniqueItems must be of a boolean"),
    ({"enum": [1, 1.0]}, "enum items must be unique"),
    ({"anyOf": {}}, "anyOf must be of an array"),
    ({"not": 1}, "not must be of an object"),
    ({"definitions": {"a": 1}}, "Invalid type. Expected: Array Of Schemas, given: definitions"),
    ({"title": 1}, "Invalid type. Expected: string, given: title"),
    ({"$ref": "#/x"}, "Object has no key 'x'"),
    ({"$ref": "#/x/1", "x": [{}]}, "Out of bound array[0,1] index '1'"),
    ({"$ref": "#/x/y", "x": [{}]}, "Invalid array index 'y'"),
    ({"$ref": "https://example.com/schema"}, "remote reference loading disabled: https://example.com/schema"),
    ({"$ref": "file:///etc/passwd"}, "remote reference loading disabled: file:///etc/passwd"),
    ({"$schema": 1}, "$schema must be of type string"),
    ([], "schema is invalid"),
    ("{", "invalid JSON string"),
    (1, "wrong type, expected string or object"),
]

FORMATS = [
    ("date-time", "2020-01-01T10:00:00.5+01:00", True), ("date-time", "tomorrow", False), ("time", "10:00:00", True),
    ("hostname", "a-b.example", True), ("hostname", "a_b", False), ("email", "a.b@example.com", True),
    ("email", "A B <a@b>", True), ("email", "a@", False), ("ipv4", "1.2.3.4", True), ("ipv4", "1.2.3", False),
    ("ipv6", "::1", True), ("ipv6", "1.2.3.4", False), ("uri", "https://a/b", True), ("uri", "/b", False),
    ("uri-reference", "/b", True), ("uri-reference", "%zz", False), ("uri-template", "/a/{b}", True),
    ("uri-template", "/a/{b", False), ("uuid", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", True), ("uuid", "2", False),
    ("regex", "a+", True), ("regex", "(", False), ("json-pointer", "/a~0b", True), ("json-pointer", "a", False),
    ("relative-json-pointer", "1/a", True), ("relative-json-pointer", "-1", False),
]  # fmt: skip


@pytest.mark.parametrize(("document", "schema", "wanted"), MATCH)
def test_match(document: Any, schema: Any, wanted: Any) -> None:
    got = outcome(TABLE, "json.match_schema", document, schema)
    if wanted is None:
        assert got[1][0]["type"] == "number_any_of"
    else:
        check(got, wanted)


@pytest.mark.parametrize(("schema", "problem"), MALFORMED)
def test_malformed_schemas(schema: Any, problem: str) -> None:
    check(outcome(TABLE, "json.verify_schema", schema), [False, f"jsonschema: {problem}"])


@pytest.mark.parametrize("schema", [{}, "true", {"$ref": "#/definitions/a", "definitions": {"a": {}}}])
def test_well_formed_schemas(schema: Any) -> None:
    check(outcome(TABLE, "json.verify_schema", schema), [True, None])


@pytest.mark.parametrize(("name", "text", "fits"), FORMATS)
def test_formats(name: str, text: str, fits: bool) -> None:
    got = TABLE["json.match_schema"]([text], {"items": {"format": name}})
    assert got[0] is fits


def test_a_schema_that_is_only_itself_is_refused() -> None:
    with pytest.raises(DepthError):
        TABLE["json.match_schema"]({}, {"$ref": "#"})


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "integer"},
            {"type": "string"},
            {"minimum": 2},
            {"maxLength": 1},
            {"required": ["a"]},
            {"enum": [1, "x"]},
            {"minItems": 1},
            {"uniqueItems": True},
            {"additionalProperties": False},
            {"const": [1]},
            True,
            False,
        ]
    ),
    lambda schemas: st.one_of(
        st.builds(
            lambda kind, parts: {kind: parts},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            st.lists(schemas, min_size=1, max_size=3),
        ),
        st.builds(
            lambda kind, part: {kind: part},
            st.sampled_from(["not", "items", "contains", "additionalProperties", "propertyNames"]),
            schemas,
        ),
        st.builds(lambda part: {"properties": {"a": part}}, schemas),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, schemas, schemas, schemas),
    ),
    max_leaves=6,
)
DOCUMENTS = st.recursive(
    st.sampled_from([None, True, 1, 2.5, "x", "xy"]),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from("ab"), parts, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.just("a"), DOCUMENTS, max_size=1), SCHEMAS)
def test_validity_is_that_of_the_standard(document: Any, schema: Any) -> None:
    wrapped = {"allOf": [schema]}
    valid, faults = TABLE["json.match_schema"](document, wrapped)
    assert valid is Draft7Validator(wrapped).is_valid(document)
    assert valid is (not faults)
