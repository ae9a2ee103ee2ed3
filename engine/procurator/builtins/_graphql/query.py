"""Executable GraphQL documents: text to tree."""

from collections.abc import Callable, Mapping
from typing import Final

from graphql import TokenKind

from procurator.builtins._graphql.reader import Node, Reader

LITERAL_KINDS: Final = {TokenKind.INT: 1, TokenKind.FLOAT: 2, TokenKind.STRING: 3, TokenKind.BLOCK_STRING: 4}
NAMED_KINDS: Final = {"true": 5, "false": 5, "null": 6}
VARIABLE, ENUM, LIST, OBJECT = 0, 7, 8, 9


class QueryParser(Reader):
    """Operations and fragments; the schema language builds on it."""

    def document(self) -> Node:
        """A whole document, perhaps an empty one."""
        operations: list[Node] = []
        fragments: list[Node] = []
        while not self.at(TokenKind.EOF):
            if self.at_word("fragment"):
                fragments.append(self.fragment_definition())
            else:
                operations.append(self.operation())
        return {"Operations": operations, "Fragments": fragments}

    def operation(self) -> Node:
        """`query Name($x: T) @d { … }`, or only its braces."""
        start = self.token
        if self.at(TokenKind.BRACE_L):
            return {"Position": start, "Operation": "query", "Name": "", "SelectionSet": self.selection_set()}
        return {
            "Position": start,
            "Comment": self.comments(),
            "Operation": self.operation_type(),
            "Name": self.name() if self.at(TokenKind.NAME) else "",
            "VariableDefinitions": self.variable_definitions(),
            "Directives": self.directives(),
            "SelectionSet": self.selection_set(),
        }

    def operation_type(self) -> str:
        """`query`, `mutation` or `subscription`."""
        token = self.token
        if token.kind is not TokenKind.NAME or token.value not in ("query", "mutation", "subscription"):
            raise self.unexpected()
        return str(self.next().value)

    def variable_definitions(self) -> list[Node]:
        """`($x: T = 1 @d, …)`, or nothing."""
        return self.block(TokenKind.PAREN_L, TokenKind.PAREN_R, self._variable_definition)

    def _variable_definition(self) -> Node:
        node: Node = {"Position": self.token, "Comment": self.comments(), "Used": False, "Variable": self._variable()}
        self.expect(TokenKind.COLON)
        node["Type"] = self.type_reference()
        node["DefaultValue"] = self.value(constant=True) if self.skip(TokenKind.EQUALS) else None
        node["Directives"] = self.directives()
        return node

    def _variable(self) -> str:
        self.expect(TokenKind.DOLLAR)
        return self.name()

    def selection_set(self) -> list[Node]:
        """`{ a b ... }`, with at least one selection."""
        if not self.at(TokenKind.BRACE_L):
            self.expect(TokenKind.BRACE_L)
        return self.block(TokenKind.BRACE_L, TokenKind.BRACE_R, self._selection)

    def _selection(self) -> Node:
        return self._fragment() if self.at(TokenKind.SPREAD) else self._field()

    def _field(self) -> Node:
        node: Node = {"Position": self.token, "Comment": self.comments(), "Alias": self.name()}
        node["Name"] = self.name() if self.skip(TokenKind.COLON) else node["Alias"]
        node["Arguments"] = self._arguments(constant=False)
        node["Directives"] = self.directives()
        node["SelectionSet"] = self.selection_set() if self.at(TokenKind.BRACE_L) else []
        return node

    def _fragment(self) -> Node:
        comment = self.comments()
        self.expect(TokenKind.SPREAD)
        node: Node = {"Position": self.token, "Comment": comment}
        if self.at(TokenKind.NAME) and not self.at_word("on"):
            return node | {"Name": self.name(), "Directives": self.directives()}
        if self.at_word("on"):
            self.next()
            node["TypeCondition"] = self.name()
        else:
            node["TypeCondition"] = ""
        return node | {"Directives": self.directives(), "SelectionSet": self.selection_set()}

    def fragment_definition(self) -> Node:
        """`fragment Name($x: T) on Type @d { … }`."""
        node: Node = {"Position": self.token, "Comment": self.comments()}
        self.expect_word("fragment")
        if self.at_word("on"):
            raise self.unexpected()
        node["Name"] = self.name()
        node["VariableDefinition"] = self.variable_definitions()
        self.expect_word("on")
        node["TypeCondition"] = self.name()
        return node | {"Directives": self.directives(), "SelectionSet": self.selection_set()}

    def directives(self, *, constant: bool = False) -> list[Node]:
        """`@a @b(x: 1)`, perhaps none."""
        found = []
        while self.skip(TokenKind.AT):
            node: Node = {"Position": self.token, "Location": "", "Name": self.name()}
            found.append(node | {"Arguments": self._arguments(constant=constant)})
        return found

    def _arguments(self, *, constant: bool) -> list[Node]:
        return self.block(TokenKind.PAREN_L, TokenKind.PAREN_R, lambda: self._argument(constant=constant))

    def _argument(self, *, constant: bool) -> Node:
        node: Node = {"Position": self.token, "Comment": self.comments(), "Name": self.name()}
        self.expect(TokenKind.COLON)
        return node | {"Value": self.value(constant=constant)}

    def value(self, *, constant: bool) -> Node:
        """A literal or, unless it must be constant, one with variables."""
        composite = COMPOSITES.get(self.token.kind)
        if composite:
            return composite(self, constant)
        token = self.token
        if token.kind is TokenKind.NAME:
            kind = NAMED_KINDS.get(str(token.value), ENUM)
        elif token.kind in LITERAL_KINDS:
            kind = LITERAL_KINDS[token.kind]
        else:
            raise self.unexpected()
        self.next()
        return _value(token, kind, Raw=token.value or "")

    def _variable_value(self, constant: bool) -> Node:
        if constant:
            raise self.unexpected()
        return _value(self.token, VARIABLE, Raw=self._variable())

    def _list(self, constant: bool) -> Node:
        token, comment = self.token, self.comments()
        items = self.enclosed(
            TokenKind.BRACKET_L, TokenKind.BRACKET_R, lambda: {"Name": "", "Value": self.value(constant=constant)}
        )
        return _value(token, LIST, Comment=comment, Children=items)

    def _object(self, constant: bool) -> Node:
        token, comment = self.token, self.comments()
        fields = self.enclosed(TokenKind.BRACE_L, TokenKind.BRACE_R, lambda: self._argument(constant=constant))
        return _value(token, OBJECT, Comment=comment, Children=fields)

    def type_reference(self) -> Node:
        """`T`, `[T]`, `T!` and what they make together."""
        if self.skip(TokenKind.BRACKET_L):
            node: Node = {"Position": self.token, "NamedType": "", "Elem": self.type_reference()}
            self.expect(TokenKind.BRACKET_R)
        else:
            node = {"Position": self.token, "NamedType": self.name()}
        return node | {"NonNull": self.skip(TokenKind.BANG)}


def _value(token: object, kind: int, **rest: object) -> Node:
    return {"Position": token, "Kind": kind, "Raw": "", "ExpectedTypeHasDefault": False, **rest}


COMPOSITES: Final[Mapping[TokenKind, Callable[[QueryParser, bool], Node]]] = {
    TokenKind.BRACKET_L: QueryParser._list,
    TokenKind.BRACE_L: QueryParser._object,
    TokenKind.DOLLAR: QueryParser._variable_value,
}
