"""When a GraphQL schema document is a valid schema.

The rules are those of the validator OPA uses: it asks for no query type, and an extension may bring a type into being.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from procurator.builtins._graphql.reader import Node, position
from procurator.builtins._graphql.sdl import SchemaParser
from procurator.builtins.operands import BuiltinError

PRELUDE: Final = """
scalar Int scalar Float scalar String scalar Boolean scalar ID
directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @deprecated(reason: String = "No longer supported")
  on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
directive @specifiedBy(url: String!) on SCALAR
directive @oneOf on INPUT_OBJECT
type __Schema type __Type type __Field type __InputValue type __EnumValue type __Directive
enum __TypeKind enum __DirectiveLocation
"""
PRELUDE_TYPES: Final = frozenset(re.findall(r"(?:scalar|type|enum) (\w+)", PRELUDE))
REDEFINABLE: Final = frozenset({"include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"})
MERGED: Final = ("Directives", "Interfaces", "Fields", "Types", "TypePositions", "EnumValues")
OUTPUT_KINDS: Final = ("SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM")
INPUT_KINDS: Final = ("SCALAR", "ENUM", "INPUT_OBJECT")
NO_ENUM_VALUES: Final = ("true", "false", "null")

Problem = tuple[Node | None, str]
"""Where and what; the first of them is the one reported."""


@dataclass(frozen=True)
class Schema:
    """The types and directives of a schema with its extensions merged in, and the types of its operations."""

    types: dict[str, Node] = field(default_factory=dict)
    directives: dict[str, Node] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    """The names of the types that an interface or union stands for."""


def load(document: Node) -> Schema:
    """The schema a document describes."""
    schema = Schema()
    for where, message in _problems(schema, document):
        place = position(where["Position"]) if where and where.get("Position") else (-1, -1)
        raise BuiltinError(
            f"Error in gqlparser SchemaDocument to Schema conversion: input:{place[0]}:{place[1]}: {message}"
        )
    return schema


def _problems(schema: Schema, document: Node) -> Iterator[Problem]:
    prelude = SchemaParser(PRELUDE).document()
    yield from _collect_types(schema, [*prelude["Definitions"], *document["Definitions"]], document["Extensions"])
    _collect_members(schema)
    yield from _collect_directives(schema, [*prelude["Directives"], *document["Directives"]])
    yield from _collect_roots(schema, document)
    for name in sorted(schema.types.keys() - PRELUDE_TYPES):
        yield from _definition(schema, schema.types[name])
    yield from _input_cycles(schema)
    for directive in sorted(schema.directives.values(), key=_name):
        yield from _reserved(directive)
        yield from _arguments(schema, directive["Arguments"], directive)


def _name(node: Node) -> str:
    return str(node["Name"])


# Collecting


def _collect_types(schema: Schema, definitions: list[Node], extensions: list[Node]) -> Iterator[Problem]:
    for definition in definitions:
        if definition["Name"] in schema.types:
            yield definition, f"Cannot redeclare type {definition['Name']}."
        schema.types[definition["Name"]] = dict(definition)
    for extension in extensions:
        name, kind = extension["Name"], extension["Kind"]
        base = schema.types.setdefault(name, {"Name": name, "Kind": kind, "Position": extension.get("Position")})
        if base["Kind"] != kind:
            yield extension, f"Cannot extend type {name} because the base type is a {base['Kind']}, not {kind}."
        base.update({part: [*(base.get(part) or []), *(extension.get(part) or [])] for part in MERGED})


def _collect_members(schema: Schema) -> None:
    for name, definition in schema.types.items():
        for interface in definition.get("Interfaces") or []:
            schema.members.setdefault(interface, set()).add(name)
        schema.members.setdefault(name, set()).update(definition.get("Types") or [])
        if definition["Kind"] in ("OBJECT", "INPUT_OBJECT"):
            schema.members[name].add(name)


def _collect_directives(schema: Schema, directives: list[Node]) -> Iterator[Problem]:
    for directive in directives:
        name = directive["Name"]
        if name in schema.directives and name not in REDEFINABLE:
            yield directive, f"Cannot redeclare directive {name}."
        schema.directives[name] = directive


def _collect_roots(schema: Schema, document: Node) -> Iterator[Problem]:
    definitions = document["Schema"]
    if len(definitions) > 1:
        yield definitions[1], "Cannot have multiple schema entry points, consider schema extensions instead."
    for definition in [*definitions, *document["SchemaExtension"]]:
        for entry in definition["OperationTypes"]:
            if entry["Type"] not in schema.types:
                operation = entry["Operation"]
                yield entry, f"Schema root {operation} refers to a type {entry['Type']} that does not exist."
            schema.roots[entry["Operation"]] = entry["Type"]
        yield from _directives(schema, definition["Directives"], "SCHEMA")
    if not definitions:
        for name in ("Query", "Mutation", "Subscription"):
            if name in schema.types:
                schema.roots.setdefault(name.lower(), name)


# Types


def _definition(schema: Schema, definition: Node) -> Iterator[Problem]:
    for member in definition.get("Fields") or []:
        yield from _field(schema, definition, member)
    for name in definition.get("Types") or []:
        yield from _union_member(schema, definition, name)
    for name in definition.get("Interfaces") or []:
        yield from _implements(schema, definition, name)
    check = KIND_CHECKS.get(definition["Kind"])
    if check:
        yield from check(schema, definition)
    yield from _repeated(definition)
    yield from _reserved(definition)
    yield from _directives(schema, definition.get("Directives") or [], definition["Kind"], once=False)


def _field(schema: Schema, definition: Node, member: Node) -> Iterator[Problem]:
    yield from _reserved(member)
    yield from _type_reference(schema, member["Type"])
    yield from _arguments(schema, member.get("Arguments") or [])
    location = "INPUT_FIELD_DEFINITION" if definition["Kind"] == "INPUT_OBJECT" else "FIELD_DEFINITION"
    yield from _directives(schema, member["Directives"], location)


def _union_member(schema: Schema, definition: Node, name: str) -> Iterator[Problem]:
    if name not in schema.types:
        yield definition, f'Undefined type "{name}".'
    elif schema.types[name]["Kind"] != "OBJECT":
        yield definition, f'{definition["Kind"]} type "{name}" must be OBJECT.'


def _fields_of_output(schema: Schema, definition: Node) -> Iterator[Problem]:
    label = f"{definition['Kind']} {definition['Name']}"
    if not definition.get("Fields"):
        yield definition, f"{label}: must define one or more fields."
    for member in definition.get("Fields") or []:
        if schema.types[named_type(member["Type"])]["Kind"] not in OUTPUT_KINDS:
            yield member, f"{label}: field must be one of {', '.join(OUTPUT_KINDS)}."


def _fields_of_input(schema: Schema, definition: Node) -> Iterator[Problem]:
    if not definition.get("Fields"):
        yield definition, f"{definition['Kind']} {definition['Name']}: must define one or more input fields."
    for member in definition.get("Fields") or []:
        kind = schema.types[named_type(member["Type"])]["Kind"]
        if kind not in INPUT_KINDS:
            yield member, f"{kind} {member['Name']}: field must be one of {', '.join(INPUT_KINDS)}."


def _values_of_enum(schema: Schema, definition: Node) -> Iterator[Problem]:
    label = f"{definition['Kind']} {definition['Name']}"
    if not definition.get("EnumValues"):
        yield definition, f"{label}: must define one or more unique enum values."
    for value in definition.get("EnumValues") or []:
        if value["Name"] in NO_ENUM_VALUES:
            yield definition, f"{label}: non-enum value {value['Name']}."
        yield from _directives(schema, value["Directives"], "ENUM_VALUE")


KIND_CHECKS: Final[Mapping[str, Callable[[Schema, Node], Iterator[Problem]]]] = {
    "OBJECT": _fields_of_output,
    "INTERFACE": _fields_of_output,
    "INPUT_OBJECT": _fields_of_input,
    "ENUM": _values_of_enum,
}


def _repeated(definition: Node) -> Iterator[Problem]:
    name = definition["Name"]
    for member in _doubles(definition.get("Fields") or []):
        yield member, f"Field {name}.{member['Name']} can only be defined once."
    for value in _doubles(definition.get("EnumValues") or []):
        yield value, f"Enum value {name}.{value['Name']} can only be defined once."
    places = definition.get("TypePositions") or []
    types = definition.get("Types") or []
    for number, member in enumerate(types):
        if member in types[:number]:
            where = {"Position": places[number]} if len(places) == len(types) else definition
            yield where, f"Union type {name} can only include type {member} once."


def _doubles(nodes: Iterable[Node]) -> Iterator[Node]:
    seen: set[str] = set()
    for node in nodes:
        if node["Name"] in seen:
            yield node
        seen.add(node["Name"])


# Interfaces


def _implements(schema: Schema, definition: Node, name: str) -> Iterator[Problem]:
    interface = schema.types.get(name)
    if interface is None:
        yield definition, f'Undefined type "{name}".'
        return
    if interface["Kind"] != "INTERFACE":
        yield definition, f'"{name}" is a non interface type {interface["Kind"]}.'
    fields = {_name(member): member for member in definition.get("Fields") or []}
    claim = f"For {definition['Name']} to implement {name}"
    for wanted in interface.get("Fields") or []:
        found = fields.get(wanted["Name"])
        if found is None:
            yield definition, f"{claim} it must have a field called {wanted['Name']}."
        else:
            yield from _implemented_field(schema, claim, wanted, found)
    yield from _ancestors(definition, interface)


def _implemented_field(schema: Schema, claim: str, wanted: Node, found: Node) -> Iterator[Problem]:
    name = wanted["Name"]
    if not _covariant(schema, wanted["Type"], found["Type"]):
        yield found, f"{claim} the field {name} must have type {type_text(wanted['Type'])}."
    arguments = {_name(argument): argument for argument in found["Arguments"]}
    required = {_name(argument): argument for argument in wanted["Arguments"]}
    for argument in required:
        if argument not in arguments:
            yield found, f"{claim} the field {name} must have the same arguments but it is missing {argument}."
        elif not _compatible(required[argument]["Type"], arguments[argument]["Type"]):
            reason = f"but {argument} has the wrong type"
            yield arguments[argument], f"{claim} the field {name} must have the same arguments {reason}."
    for argument, given in arguments.items():
        if argument not in required and given["Type"]["NonNull"] and not given["DefaultValue"]:
            reason = f"must be optional or have a default value but {argument} is required"
            yield given, f"{claim} any additional arguments on {found['Name']} {reason}."


def _ancestors(definition: Node, interface: Node) -> Iterator[Problem]:
    name = definition["Name"]
    for ancestor in interface.get("Interfaces") or []:
        if ancestor == name and ancestor not in definition["Interfaces"]:
            yield (
                definition,
                f"Type {name} cannot implement {interface['Name']} because it would create a circular reference.",
            )
        elif ancestor not in definition["Interfaces"]:
            yield definition, f"Type {name} must implement {ancestor} because it is implemented by {interface['Name']}."


def _covariant(schema: Schema, wanted: Node, found: Node) -> bool:
    if wanted["NonNull"] and not found["NonNull"]:
        return False
    if wanted["NamedType"]:
        name = found["NamedType"]
        return bool(wanted["NamedType"] == name or name in schema.members.get(wanted["NamedType"], ()))
    return bool(found.get("Elem")) and _covariant(schema, wanted["Elem"], found["Elem"])


def _compatible(wanted: Node, found: Node) -> bool:
    if wanted["NamedType"] != found["NamedType"]:
        return False
    if wanted.get("Elem") and not (found.get("Elem") and _compatible(wanted["Elem"], found["Elem"])):
        return False
    return bool(wanted["NonNull"] or not found["NonNull"])


# Parts


def _reserved(node: Node) -> Iterator[Problem]:
    if node["Name"].startswith("__"):
        yield node, f'Name "{node["Name"]}" must not begin with "__", which is reserved by GraphQL introspection.'


def _type_reference(schema: Schema, reference: Node) -> Iterator[Problem]:
    name = named_type(reference)
    if name not in schema.types:
        yield reference, f"Undefined type {name}."


def _arguments(schema: Schema, arguments: list[Node], directive: Node | None = None) -> Iterator[Problem]:
    for argument in arguments:
        yield from _reserved(argument)
        yield from _type_reference(schema, argument["Type"])
        kind = schema.types[named_type(argument["Type"])]["Kind"]
        if kind not in INPUT_KINDS:
            used = f"cannot use {type_text(argument['Type'])} as argument {argument['Name']}"
            yield argument, f"{used} because {kind} is not a valid input type"
        yield from _directives(schema, argument["Directives"], "ARGUMENT_DEFINITION", within=directive)


def _directives(
    schema: Schema, directives: list[Node], location: str, *, within: Node | None = None, once: bool = True
) -> Iterator[Problem]:
    """The directives at one place; those of a type come from several, so there one may stand repeatedly."""
    seen: set[str] = set()
    for directive in directives:
        name = directive["Name"]
        yield from _reserved(directive)
        if within and name == within["Name"]:
            yield directive, f"Directive {name} cannot refer to itself."
        definition = schema.directives.get(name)
        if definition is None:
            yield directive, f"Undefined directive {name}."
            return
        if once and name in seen and not definition["IsRepeatable"]:
            yield directive, f"The directive {name} can only be used once at this location."
        seen.add(name)
        if location not in definition["Locations"]:
            yield directive, f"Directive {name} is not applicable on {location}."
        yield from _directive_arguments(definition, directive)


def _directive_arguments(definition: Node, directive: Node) -> Iterator[Problem]:
    known = {_name(argument): argument for argument in definition["Arguments"]}
    given = {_name(argument): argument for argument in directive["Arguments"]}
    name = directive["Name"]
    for argument in given.values():
        if argument["Name"] not in known:
            yield argument, f"Undefined argument {argument['Name']} for directive {name}."
    for argument in known.values():
        if argument["Type"]["NonNull"] and not argument["DefaultValue"]:
            found = given.get(argument["Name"])
            if found is None or found["Value"]["Raw"] == "null":
                yield directive, f"Argument {argument['Name']} for directive {name} cannot be null."


def _input_cycles(schema: Schema) -> Iterator[Problem]:
    """Input objects that could never be given, as they hold themselves without a way out."""
    done: set[str] = set()
    for name in sorted(schema.types):
        if schema.types[name]["Kind"] == "INPUT_OBJECT":
            yield from _cycles_from(schema, name, [], {}, done)


def _cycles_from(
    schema: Schema, name: str, path: list[Node], index: dict[str, int], done: set[str]
) -> Iterator[Problem]:
    if name in done:
        return
    done.add(name)
    index[name] = len(path)
    for member in schema.types[name].get("Fields") or []:
        inner = member["Type"]["NamedType"]
        if not member["Type"]["NonNull"] or schema.types.get(inner, {}).get("Kind") != "INPUT_OBJECT":
            continue
        path.append(member)
        if inner in index:
            cycle = path[index[inner] :]
            fields = ".".join(map(_name, cycle))
            reason = f'within itself through a series of non-null fields: "{fields}"'
            yield cycle[0], f'Cannot reference Input Object "{inner}" {reason}.'
        yield from _cycles_from(schema, inner, path, index, done)
        path.pop()
    del index[name]


def named_type(reference: Node) -> str:
    """The name at the heart of a type reference."""
    while not reference["NamedType"] and reference.get("Elem"):
        reference = reference["Elem"]
    return str(reference["NamedType"])


def type_text(reference: Node) -> str:
    """A type reference as written: `[T!]!`."""
    inner = reference["NamedType"] or f"[{type_text(reference['Elem'])}]"
    return f"{inner}{'!' if reference['NonNull'] else ''}"
