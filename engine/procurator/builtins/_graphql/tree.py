"""The tree of a GraphQL document as OPA gives it to policies, and its way back from a policy's object."""

from collections.abc import Mapping
from typing import Any, Final

from procurator.builtins._graphql.reader import Node
from procurator.builtins.operands import BuiltinError
from procurator.values import Value, type_name

PLACES: Final = frozenset({"Position", "TypePositions"})

_COMMENTS = {"Comment": "CommentGroup"}
_DESCRIBED = {
    "Description": "",
    "Name": "",
    "Directives": ["Directive"],
    "BeforeDescriptionComment": "CommentGroup",
    "AfterDescriptionComment": "CommentGroup",
}
_VALUE_DEFINITION = {**_DESCRIBED, "DefaultValue": "Value", "Type": "Type!"}

SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "QueryDocument": {"Operations": ["OperationDefinition"], "Fragments": ["FragmentDefinition"], **_COMMENTS},
    "OperationDefinition": {
        "Operation": "",
        "Name": "",
        "VariableDefinitions": ["VariableDefinition"],
        "Directives": ["Directive"],
        "SelectionSet": ["Field"],
    },
    "FragmentDefinition": {
        "Name": "",
        "VariableDefinition": ["VariableDefinition"],
        "TypeCondition": "",
        "Directives": ["Directive"],
        "SelectionSet": ["Field"],
    },
    "VariableDefinition": {
        "Variable": "",
        "Type": "Type!",
        "DefaultValue": "Value",
        "Directives": ["Directive"],
        "Used": False,
        **_COMMENTS,
    },
    # OPA reads every selection of a policy's object as a field, also those that were fragments.
    "Field": {
        "Alias": "",
        "Name": "",
        "Arguments": ["Argument"],
        "Directives": ["Directive"],
        "SelectionSet": ["Field"],
    },
    "Argument": {"Name": "", "Value": "Value!", **_COMMENTS},
    "Directive": {"Name": "", "Arguments": ["Argument"], "Location": ""},
    "Value": {"Raw": "", "Kind": 0, "Children": ["Argument"], "ExpectedTypeHasDefault": False, **_COMMENTS},
    "Type": {"NamedType": "", "Elem": "Type", "NonNull": False},
    "CommentGroup": {"List": ["Comment"]},
    "Comment": {"Value": ""},
    "SchemaDocument": {
        "Schema": ["SchemaDefinition"],
        "SchemaExtension": ["SchemaDefinition"],
        "Directives": ["DirectiveDefinition"],
        "Definitions": ["Definition"],
        "Extensions": ["Definition"],
        **_COMMENTS,
    },
    "SchemaDefinition": {
        "Description": "",
        "Directives": ["Directive"],
        "OperationTypes": ["OperationTypeDefinition"],
        "BeforeDescriptionComment": "CommentGroup",
        "AfterDescriptionComment": "CommentGroup",
        "EndOfDefinitionComment": "CommentGroup",
    },
    "OperationTypeDefinition": {"Operation": "", "Type": "", **_COMMENTS},
    "Definition": {
        **_DESCRIBED,
        "Kind": "",
        "Interfaces": [""],
        "Fields": ["FieldDefinition"],
        "Types": [""],
        "EnumValues": ["EnumValueDefinition"],
        "BuiltIn": False,
        "EndOfDefinitionComment": "CommentGroup",
    },
    "FieldDefinition": {**_VALUE_DEFINITION, "Arguments": ["ArgumentDefinition"]},
    "ArgumentDefinition": _VALUE_DEFINITION,
    "EnumValueDefinition": _DESCRIBED,
    "DirectiveDefinition": {
        "Description": "",
        "Name": "",
        "Arguments": ["ArgumentDefinition"],
        "Locations": [""],
        "IsRepeatable": False,
        "BeforeDescriptionComment": "CommentGroup",
        "AfterDescriptionComment": "CommentGroup",
    },
}
"""What each kind of node holds: a kind of node, with `!` when it must be there, a list of one, or the value of a
missing scalar."""

_SCALARS: Final[Mapping[type, str]] = {str: "string", bool: "bool", int: "int"}


def prune(tree: Value) -> Value:
    """The tree without places, nulls and empty collections."""
    if isinstance(tree, dict):
        kept = {key: prune(item) for key, item in tree.items() if key not in PLACES and item is not None}
        return {key: item for key, item in kept.items() if item != [] and item != {}}
    if isinstance(tree, list):
        return [item for item in map(prune, tree) if item is not None and item != [] and item != {}]
    return tree


def decode(value: Value, kind: str) -> Node:
    """The tree of this kind that an object of a policy describes; what is missing gets its default."""
    return _node(value, kind, kind)


def _node(value: Value, kind: str, place: str) -> Node:
    if not isinstance(value, dict):
        raise _mismatch(value, place, f"ast.{kind}")
    return {name: _member(value.get(name), wanted, f"{kind}.{name}") for name, wanted in SHAPES[kind].items()}


def _member(value: Value, wanted: Any, place: str) -> Any:
    if isinstance(wanted, list):
        return _list(value, wanted[0], place)
    if wanted in SHAPES and value is not None:
        return _node(value, wanted, place)
    if str(wanted).endswith("!"):
        return _node(value, wanted[:-1], place)
    if value is None:
        return None if wanted in SHAPES else wanted
    if type(value) is not type(wanted):
        raise _mismatch(value, place, _SCALARS[type(wanted)])
    return value


def _list(value: Value, wanted: Any, place: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _mismatch(value, place, f"ast.{wanted}List" if wanted else "[]string")
    return [_member(item, wanted, place) for item in value]


def _mismatch(value: Value, place: str, go_type: str) -> BuiltinError:
    kind = {"boolean": "bool"}.get(type_name(value), type_name(value))
    field = "value" if "." not in place else f"struct field {place}"
    return BuiltinError(f"json: cannot unmarshal {kind} into Go {field} of type {go_type}")
