"""GraphQL schema documents: text to tree."""

from collections.abc import Callable, Mapping
from typing import Final

from graphql import DirectiveLocation, Token, TokenKind

from procurator.builtins._graphql.query import QueryParser
from procurator.builtins._graphql.reader import Node

KINDS: Final = {
    "scalar": "SCALAR",
    "type": "OBJECT",
    "interface": "INTERFACE",
    "union": "UNION",
    "enum": "ENUM",
    "input": "INPUT_OBJECT",
}
BODIES: Final = ("Interfaces", "Directives", "Fields", "Types", "EnumValues")
_UNKNOWN_LOCATIONS: Final = ("FRAGMENT_VARIABLE_DEFINITION", "DIRECTIVE_DEFINITION")
LOCATIONS: Final = frozenset(location.name for location in DirectiveLocation).difference(_UNKNOWN_LOCATIONS)


class SchemaParser(QueryParser):
    """Definitions and extensions of types, directives and the schema itself."""

    def document(self) -> Node:
        """A whole document, perhaps an empty one."""
        found: dict[str, list[Node]] = {
            "Schema": [],
            "SchemaExtension": [],
            "Directives": [],
            "Definitions": [],
            "Extensions": [],
        }
        while not self.at(TokenKind.EOF):
            part, node = self._definition()
            found[part].append(node)
        return {**found, "Comment": self.comments()}

    def _definition(self) -> tuple[str, Node]:
        description = self._description()
        word = str(self.token.value) if self.at(TokenKind.NAME) else ""
        if word == "extend":
            if description["Description"]:
                raise self.unexpected(_before(self.token))
            return self._extension()
        if word in KINDS:
            return "Definitions", self._type(description)
        if word == "schema":
            return "Schema", self._schema(description)
        if word == "directive":
            return "Directives", self._directive(description)
        raise self.unexpected()

    def _description(self) -> Node:
        """The string before a definition, with the comments around it."""
        before = self.comments()
        described = self.at(TokenKind.STRING) or self.at(TokenKind.BLOCK_STRING)
        text = str(self.next().value) if described else ""
        return {
            "Description": text,
            "BeforeDescriptionComment": before if described else None,
            "AfterDescriptionComment": self.comments(),
        }

    def _member_description(self) -> Node:
        found = self._description()
        # An empty description leaves no trace, so neither do the comments before it.
        return found if found["Description"] else found | {"BeforeDescriptionComment": None}

    def _schema(self, description: Node) -> Node:
        self.expect_word("schema")
        node = description | {"Position": self.token, "Directives": self.directives(constant=True)}
        node["OperationTypes"], node["EndOfDefinitionComment"] = self._braces(self._operation_type)
        return node

    def _operation_type(self) -> Node:
        node: Node = {"Position": self.token, "Comment": self.comments(), "Operation": self.operation_type()}
        self.expect(TokenKind.COLON)
        return node | {"Type": self.name()}

    def _type(self, description: Node, implementing: tuple[str, ...] = ("type", "interface")) -> Node:
        word = str(self.next().value)
        node = description | {"Position": self.token, "Kind": KINDS[word], "BuiltIn": False, "Name": self.name()}
        node["Interfaces"] = self._interfaces() if word in implementing else []
        node["Directives"] = self.directives(constant=True)
        body = BODY_PARSERS.get(word)
        return node | body(self) if body else node

    def _extension(self) -> tuple[str, Node]:
        head: Node = {"Description": "", "AfterDescriptionComment": self.comments()}
        self.next()
        word = str(self.token.value) if self.at(TokenKind.NAME) else ""
        if word == "schema":
            node = self._schema(head)
            filled = node["Directives"] or node["OperationTypes"]
        elif word in KINDS:
            node = self._type(head, implementing=("type",))
            filled = any(node.get(part) for part in BODIES)
        else:
            raise self.unexpected()
        if not filled:
            raise self.unexpected()
        return ("SchemaExtension" if word == "schema" else "Extensions"), node

    def _interfaces(self) -> list[str]:
        if not self.at_word("implements"):
            return []
        self.next()
        return [str(token.value) for token in self._names(TokenKind.AMP)]

    def _names(self, separator: TokenKind) -> list[Token]:
        self.skip(separator)
        names = [self.expect(TokenKind.NAME)]
        while self.skip(separator):
            names.append(self.expect(TokenKind.NAME))
        return names

    def _braces(self, item: Callable[[], Node]) -> tuple[list[Node], Node | None]:
        """The items in braces, and the comments before the closing one."""
        items = self.block(TokenKind.BRACE_L, TokenKind.BRACE_R, item)
        return items, self.comments(_before(self.token)) if items else None

    def _fields(self) -> Node:
        fields, comment = self._braces(self._field_definition)
        return {"Fields": fields, "EndOfDefinitionComment": comment}

    def _input_fields(self) -> Node:
        fields, comment = self._braces(self._input_value)
        return {"Fields": fields, "EndOfDefinitionComment": comment}

    def _enum_values(self) -> Node:
        values, comment = self._braces(self._enum_value)
        return {"EnumValues": values, "EndOfDefinitionComment": comment}

    def _union_types(self) -> Node:
        if not self.skip(TokenKind.EQUALS):
            return {}
        names = self._names(TokenKind.PIPE)
        return {"Types": [str(token.value) for token in names], "TypePositions": names}

    def _field_definition(self) -> Node:
        node = self._member_description() | {"Position": self.token, "Name": self.name()}
        node["Arguments"] = self._argument_definitions()
        self.expect(TokenKind.COLON)
        node["Type"] = self.type_reference()
        return node | {"Directives": self.directives(constant=True)}

    def _argument_definitions(self) -> list[Node]:
        return self.block(TokenKind.PAREN_L, TokenKind.PAREN_R, self._input_value)

    def _input_value(self) -> Node:
        node = self._member_description() | {"Position": self.token, "Name": self.name()}
        self.expect(TokenKind.COLON)
        node["Type"] = self.type_reference()
        node["DefaultValue"] = self.value(constant=True) if self.skip(TokenKind.EQUALS) else None
        return node | {"Directives": self.directives(constant=True)}

    def _enum_value(self) -> Node:
        node = self._member_description() | {"Position": self.token, "Name": self.name()}
        return node | {"Directives": self.directives(constant=True)}

    def _directive(self, description: Node) -> Node:
        self.expect_word("directive")
        self.expect(TokenKind.AT)
        node = description | {"Position": self.token, "Name": self.name()}
        node["Arguments"] = self._argument_definitions()
        node["IsRepeatable"] = self.at_word("repeatable") and bool(self.next())
        self.expect_word("on")
        return node | {"Locations": self._locations()}

    def _locations(self) -> list[str]:
        names = self._names(TokenKind.PIPE)
        for token in names:
            if token.value not in LOCATIONS:
                raise self.unexpected(token)
        return [str(token.value) for token in names]


def _before(token: Token) -> Token:
    """The token before this one, comments apart."""
    before = token.prev or token
    while before.kind is TokenKind.COMMENT and before.prev:
        before = before.prev
    return before


BODY_PARSERS: Final[Mapping[str, Callable[[SchemaParser], Node]]] = {
    "type": SchemaParser._fields,
    "interface": SchemaParser._fields,
    "input": SchemaParser._input_fields,
    "enum": SchemaParser._enum_values,
    "union": SchemaParser._union_types,
}
