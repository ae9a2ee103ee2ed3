"""The tokens of a GraphQL text, and what is said when one of them does not fit.

graphql-core does the lexing. The texts and places of errors are those of the parser OPA uses, which reads a
malformed token as one more kind of token, printed `<Invalid>`.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from graphql import GraphQLSyntaxError, Source, Token, TokenKind
from graphql.language import Lexer

from procurator.builtins.operands import BuiltinError

Node = dict[str, Any]
"""A node of the tree, in the shape OPA gives it, with the token at its place under `Position`."""

INVALID: Final = TokenKind.SOF  # never handed out otherwise: reading starts behind it
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_QUOTE_WIDTH: Final = {TokenKind.STRING: 1, TokenKind.BLOCK_STRING: 3}


class _Lexer(Lexer):
    def read_next_token(self, start: int) -> Token:
        try:
            token = super().read_next_token(start)
        except GraphQLSyntaxError as error:
            row, column = error.locations[0] if error.locations else (self.line, 1)
            end = len(self.source.body)
            return Token(INVALID, end, end, row, column)
        if token.kind is TokenKind.BLOCK_STRING:
            token.value = _block_text(self.source.body[token.start + 3 : token.end - 3])
        return token


class Reader:
    """A cursor over the tokens of one text; the current token is `token`."""

    def __init__(self, text: str) -> None:
        self._lexer = _Lexer(Source(text))
        self._lexer.advance()

    @property
    def token(self) -> Token:
        """The token under the cursor."""
        return self._lexer.token

    def next(self) -> Token:
        """Step over the current token and give it."""
        token = self._lexer.token
        self._lexer.advance()
        return token

    def at(self, kind: TokenKind) -> bool:
        """Whether the current token is of this kind."""
        return self._lexer.token.kind is kind

    def at_word(self, word: str) -> bool:
        """Whether the current token is this name."""
        return self._lexer.token.kind is TokenKind.NAME and self._lexer.token.value == word

    def skip(self, kind: TokenKind) -> bool:
        """Step over the current token if it is of this kind."""
        found = self.at(kind)
        if found:
            self._lexer.advance()
        return found

    def expect(self, kind: TokenKind) -> Token:
        """Step over a token that must be of this kind."""
        if not self.at(kind):
            raise self.error(f"Expected {_kind_text(kind)}, found {_kind_text(self.token.kind)}")
        return self.next()

    def expect_word(self, word: str) -> Token:
        """Step over a token that must be this name."""
        if not self.at_word(word):
            raise self.error(f'Expected "{word}", found {_token_text(self.token)}')
        return self.next()

    def name(self) -> str:
        """Step over a name."""
        return str(self.expect(TokenKind.NAME).value)

    def error(self, message: str, token: Token | None = None) -> BuiltinError:
        """The error with this message at a token, by default the current one."""
        row, column = position(token or self.token)
        return BuiltinError(f"{message} in GraphQL string at location {row}:{column}")

    def unexpected(self, token: Token | None = None) -> BuiltinError:
        """The error that a token, by default the current one, has no place here."""
        return self.error(f"Unexpected {_token_text(token or self.token)}", token)

    def block(self, start: TokenKind, end: TokenKind, item: Callable[[], Node]) -> list[Node]:
        """The items between two brackets, at least one; none where the opening bracket is missing."""
        if not self.skip(start):
            return []
        items = list(self._until(end, item))
        if not items:
            raise self.error(f"expected at least one definition, found {_kind_text(self.token.kind)}")
        self.next()
        return items

    def enclosed(self, start: TokenKind, end: TokenKind, item: Callable[[], Node]) -> list[Node]:
        """The items between two brackets, perhaps none."""
        self.expect(start)
        items = list(self._until(end, item))
        self.next()
        return items

    def _until(self, end: TokenKind, item: Callable[[], Node]) -> Iterator[Node]:
        while not self.at(end):
            yield item()

    def comments(self, token: Token | None = None) -> Node | None:
        """The comments right before a token, by default the current one."""
        texts: list[Node] = []
        before = (token or self.token).prev
        while before and before.kind is TokenKind.COMMENT:
            texts.append({"Value": f"#{before.value}"})
            before = before.prev
        return {"List": texts[::-1]} if texts else None


def _block_text(raw: str) -> str:
    """A block string without its indentation, in which, other than in the specification, the first line counts."""
    lines = _NEWLINE.split(raw.replace('\\"""', '"""'))
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip(" \t")]
    common = min(indents, default=0)
    lines = lines[:1] + [line[common:] for line in lines[1:]]
    filled = [number for number, line in enumerate(lines) if line.strip(" \t")]
    return "\n".join(lines[filled[0] : filled[-1] + 1]) if filled else ""


def position(token: Token) -> tuple[int, int]:
    """Row and column of a token; those of a string's text, not of its quote."""
    return token.line, token.column + _QUOTE_WIDTH.get(token.kind, 0)


def _kind_text(kind: TokenKind) -> str:
    return "<Invalid>" if kind is INVALID else kind.value


def _token_text(token: Token) -> str:
    text = _kind_text(token.kind)
    return f"{text} {json.dumps(token.value, ensure_ascii=False)}" if token.value else text
