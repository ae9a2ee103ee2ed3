"""Validation of queries: trees to the nodes of graphql-core, whose rules do the work, and errors worded as OPA's."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import graphql as core
from graphql.language import Location, Source, Token

from procurator.builtins._graphql.query import ENUM, LIST, OBJECT, VARIABLE
from procurator.builtins._graphql.reader import Node, position
from procurator.builtins._graphql.schema import PRELUDE_TYPES, Schema
from procurator.builtins.operands import BuiltinError

_INT_TEXT: Final = re.compile(r"Int cannot represent non 32-bit signed integer value: (-?\d+)")
_INT64: Final = range(-(1 << 63), 1 << 63)
_ABORTED: Final = "Validation aborted."
_QUOTED: Final = re.compile(r"'([^']*)'")

RULES: Final = tuple(
    rule
    for rule in dict.fromkeys((*core.specified_rules, core.MaxIntrospectionDepthRule))
    if not rule.__name__.startswith(("Executable", "Defer", "Stream"))
)
_Wording = str | Callable[[re.Match[str]], str]
_WORDINGS: Final[Mapping[str, _Wording]] = {
    r"^The (\w+) operation is not supported by the schema\.": r'Schema does not support operation type "\1"',
    r"^Argument '@(\w+)\((\w+):\)'": r'Directive "@\1" argument "\2"',
    r"^Argument '(?:[\w<>]+\.)?(\w+)\((\w+):\)'": r'Field "\1" argument "\2"',
    r"^Expected value of type '(.+?)' not to include unknown field '(\w+)'\.?( .*\?)? Found: .*": (
        lambda match: f'Field "{match[2]}" is not defined by type "{match[1]}".{match[3] or ""}'
    ),
    r"^Expected value of non-null type '(.+?)' not to be None\.": r"Expected value of type '\1', found null.",
    r"^Expected value of type '(.+?)' to be an object, found: ": r"Expected value of type '\1', found ",
    r"^Within OneOf Input Object type '(\w+)', .*": r'OneOf Input Object "\1" must specify exactly one key.',
    r"may not be used on (\w+)\.": lambda match: f"may not be used on {match[1].upper()}.",
}
REWORDED: Final[Mapping[re.Pattern[str], _Wording]] = {re.compile(pattern): text for pattern, text in _WORDINGS.items()}
_AT_LAST: Final = re.compile(r"conflict because|can be only one|can only be used once|used in position")


def validate(schema: core.GraphQLSchema, query: Node) -> None:
    """Refuse a query that does not fit the schema, with every reason."""
    found = [*_errors(schema, _document(query))]
    if not found:
        return
    where, message = found[0]
    if where is None:
        raise BuiltinError("GraphQL parse error: " + "".join(map(_line, found)))
    text = "".join([f"{message}\n", *map(_line, found[1:])]).removesuffix(".\n")
    raise BuiltinError(f"{text} in GraphQL string at location {where[0]}:{where[1]}")


Found = tuple[tuple[int, int] | None, str]


def _line(found: Found) -> str:
    where, message = found
    place = f"input:{where[0]}:{where[1]}" if where else "input"
    return f"{place}: {message}\n"


def _errors(schema: core.GraphQLSchema, document: core.DocumentNode) -> Iterator[Found]:
    for error in core.validate(schema, document, RULES):
        if error.message == _ABORTED:
            raise RecursionError  # graphql-core bounds its work: whether the query is valid is not known
        outside = _INT_TEXT.match(error.message)
        if outside and int(outside[1]) in _INT64:
            continue  # OPA takes integers of 64 bits
        # OPA names one place: that of the second of two that do not go together.
        where = error.locations[-1 if _AT_LAST.search(error.message) else 0] if error.locations else None
        yield (where.line, where.column) if where else None, _reword(error.message)


def _reword(message: str) -> str:
    for pattern, text in REWORDED.items():
        message = pattern.sub(text, message)
    return _QUOTED.sub(r'"\1"', message)


# Trees to nodes


def _loc(node: Node) -> Location | None:
    token: Token | None = node.get("Position")
    return Location(token, token, _Text(token)) if token else None


class _Text(Source):
    """A source of which only the place of one token is known."""

    def __init__(self, token: Token) -> None:
        super().__init__("")
        self._place = core.SourceLocation(*position(token))

    def get_location(self, position: int) -> core.SourceLocation:  # noqa: ARG002  # there is only one
        return self._place


def _name(text: str, at: Node | None = None) -> core.NameNode:
    return core.NameNode(value=text, loc=_loc(at or {}))


def _each(convert: Callable[[Node], Any], nodes: list[Node] | None) -> tuple[Any, ...]:
    return tuple([convert(node) for node in nodes or ()])


def _document(query: Node) -> core.DocumentNode:
    return core.DocumentNode(
        definitions=(*_each(_operation, query["Operations"]), *_each(_fragment_definition, query["Fragments"]))
    )


def _operation(node: Node) -> core.OperationDefinitionNode:
    try:
        operation = core.OperationType(node["Operation"] or "query")
    except ValueError:
        raise BuiltinError(f'got unknown operation type "{node["Operation"]}"') from None
    return core.OperationDefinitionNode(
        operation=operation,
        name=_name(node["Name"], node) if node["Name"] else None,
        variable_definitions=_each(_variable_definition, node.get("VariableDefinitions")),
        directives=_each(_directive, node.get("Directives")),
        selection_set=_selection_set(node),
        loc=_loc(node),
    )


def _fragment_definition(node: Node) -> core.FragmentDefinitionNode:
    return core.FragmentDefinitionNode(
        name=_name(node["Name"], node),
        variable_definitions=(),
        type_condition=_named(node["TypeCondition"], node),
        directives=_each(_directive, node["Directives"]),
        selection_set=_selection_set(node),
        loc=_loc(node),
    )


def _selection_set(node: Node) -> core.SelectionSetNode:
    return core.SelectionSetNode(selections=_each(_selection, node["SelectionSet"]), loc=_loc(node))


def _selection(node: Node) -> core.SelectionNode:
    if "Alias" in node:
        return _field(node)
    if "TypeCondition" in node:
        condition = _named(node["TypeCondition"], node) if node["TypeCondition"] else None
        return core.InlineFragmentNode(
            type_condition=condition,
            directives=_each(_directive, node["Directives"]),
            selection_set=_selection_set(node),
            loc=_loc(node),
        )
    return core.FragmentSpreadNode(
        name=_name(node["Name"], node), directives=_each(_directive, node["Directives"]), loc=_loc(node)
    )


def _field(node: Node) -> core.FieldNode:
    return core.FieldNode(
        name=_name(node["Name"], node),
        alias=_name(node["Alias"]) if node["Alias"] not in ("", node["Name"]) else None,
        arguments=_arguments(node),
        directives=_each(_directive, node["Directives"]),
        selection_set=_selection_set(node) if node["SelectionSet"] else None,
        loc=_loc(node),
    )


def _arguments(owner: Node) -> tuple[core.ArgumentNode, ...]:
    """The arguments of a field or directive, which is where OPA places an error about one of them."""
    return tuple(
        [
            core.ArgumentNode(name=_name(node["Name"], node), value=_value(node["Value"]), loc=_loc(owner))
            for node in owner["Arguments"]
        ]
    )


def _directive(node: Node) -> core.DirectiveNode:
    return core.DirectiveNode(name=_name(node["Name"], node), arguments=_arguments(node), loc=_loc(node))


def _variable_definition(node: Node) -> core.VariableDefinitionNode:
    return core.VariableDefinitionNode(
        variable=core.VariableNode(name=_name(node["Variable"], node), loc=_loc(node)),
        type=_type(node["Type"]),
        default_value=_value(node["DefaultValue"]) if node["DefaultValue"] else None,
        directives=_each(_directive, node["Directives"]),
        loc=_loc(node),
    )


def _named(name: str, at: Node) -> core.NamedTypeNode:
    return core.NamedTypeNode(name=_name(name), loc=_loc(at))


def _type(node: Node) -> core.TypeNode:
    inner: Any = _named(node["NamedType"], node)
    if not node["NamedType"] and node.get("Elem"):
        inner = core.ListTypeNode(type=_type(node["Elem"]), loc=_loc(node))
    return core.NonNullTypeNode(type=inner, loc=_loc(node)) if node["NonNull"] else inner


def _value(node: Node) -> Any:
    make = VALUES.get(node["Kind"])
    if make is None:
        raise BuiltinError(f"unknown value kind {node['Kind']}")
    return make(node)


def _object_field(node: Node) -> core.ObjectFieldNode:
    return core.ObjectFieldNode(name=_name(node["Name"], node), value=_value(node["Value"]), loc=_loc(node))


VALUES: Final[Mapping[int, Callable[[Node], core.ValueNode]]] = {
    VARIABLE: lambda node: core.VariableNode(name=_name(node["Raw"]), loc=_loc(node)),
    1: lambda node: core.IntValueNode(value=node["Raw"], loc=_loc(node)),
    2: lambda node: core.FloatValueNode(value=node["Raw"], loc=_loc(node)),
    3: lambda node: core.StringValueNode(value=node["Raw"], loc=_loc(node)),
    4: lambda node: core.StringValueNode(value=node["Raw"], block=True, loc=_loc(node)),
    5: lambda node: core.BooleanValueNode(value=node["Raw"] == "true", loc=_loc(node)),
    6: lambda node: core.NullValueNode(loc=_loc(node)),
    ENUM: lambda node: core.EnumValueNode(value=node["Raw"], loc=_loc(node)),
    LIST: lambda node: core.ListValueNode(
        values=_each(lambda child: _value(child["Value"]), node.get("Children")), loc=_loc(node)
    ),
    OBJECT: lambda node: core.ObjectValueNode(fields=_each(_object_field, node.get("Children")), loc=_loc(node)),
}


# Schemas


def schema_of(schema: Schema) -> core.GraphQLSchema:
    """The schema as graphql-core has it."""
    roots = [
        core.OperationTypeDefinitionNode(operation=core.OperationType(operation), type=_named(name, {}))
        for operation, name in schema.roots.items()
    ]
    own = [node for name, node in schema.types.items() if name not in PRELUDE_TYPES]
    definitions = (
        core.SchemaDefinitionNode(operation_types=tuple(roots)),
        *_each(_directive_definition, list(schema.directives.values())),
        *_each(_definition, own),
    )
    return core.build_ast_schema(core.DocumentNode(definitions=definitions), assume_valid=True, assume_valid_sdl=True)


def _definition(node: Node) -> core.TypeDefinitionNode:
    shared = {"name": _name(node["Name"], node), "directives": _each(_directive, node.get("Directives"))}
    make, body = DEFINITIONS[node["Kind"]]
    return make(**shared, **body(node))


def _composite(node: Node) -> dict[str, Any]:
    return {
        "fields": _each(_field_definition, node.get("Fields")),
        "interfaces": tuple([_named(name, {}) for name in node.get("Interfaces") or ()]),
    }


DEFINITIONS: Final[Mapping[str, tuple[Callable[..., core.TypeDefinitionNode], Callable[[Node], dict[str, Any]]]]] = {
    "SCALAR": (core.ScalarTypeDefinitionNode, lambda _: {}),
    "OBJECT": (core.ObjectTypeDefinitionNode, _composite),
    "INTERFACE": (core.InterfaceTypeDefinitionNode, _composite),
    "UNION": (
        core.UnionTypeDefinitionNode,
        lambda node: {"types": tuple([_named(name, {}) for name in node.get("Types") or ()])},
    ),
    "ENUM": (core.EnumTypeDefinitionNode, lambda node: {"values": _each(_enum_value, node.get("EnumValues"))}),
    "INPUT_OBJECT": (
        core.InputObjectTypeDefinitionNode,
        lambda node: {"fields": _each(_input_value, node.get("Fields"))},
    ),
}


def _field_definition(node: Node) -> core.FieldDefinitionNode:
    return core.FieldDefinitionNode(
        name=_name(node["Name"], node),
        arguments=_each(_input_value, node.get("Arguments")),
        type=_type(node["Type"]),
        directives=_each(_directive, node["Directives"]),
    )


def _input_value(node: Node) -> core.InputValueDefinitionNode:
    return core.InputValueDefinitionNode(
        name=_name(node["Name"], node),
        type=_type(node["Type"]),
        default_value=_value(node["DefaultValue"]) if node["DefaultValue"] else None,
        directives=_each(_directive, node["Directives"]),
    )


def _enum_value(node: Node) -> core.EnumValueDefinitionNode:
    return core.EnumValueDefinitionNode(
        name=_name(node["Name"], node), directives=_each(_directive, node["Directives"])
    )


def _directive_definition(node: Node) -> core.DirectiveDefinitionNode:
    return core.DirectiveDefinitionNode(
        name=_name(node["Name"], node),
        arguments=_each(_input_value, node["Arguments"]),
        repeatable=node["IsRepeatable"],
        locations=tuple(map(_name, node["Locations"])),
    )
