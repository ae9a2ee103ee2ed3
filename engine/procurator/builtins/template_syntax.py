"""The syntax of Go's `text/template`, as `strings.render_template` takes it: text to a tree of nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = [
    "Action",
    "Branch",
    "Call",
    "Chain",
    "Constant",
    "Jump",
    "Node",
    "Operand",
    "Pipe",
    "Root",
    "Template",
    "TemplateSyntaxError",
    "Text",
    "Variable",
    "parse",
]


class TemplateSyntaxError(Exception):
    """The template does not parse."""


# The tree


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, string or boolean; None for `nil`."""

    value: str | int | float | None


@dataclass(frozen=True, slots=True)
class Root:
    """`.`, the value an action works on."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`; `$` alone is the value the template was called with."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function by its name; its arguments are the operands behind it."""

    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of an operand: `.a.b`, `$x.a`, `(…).a`."""

    base: Operand
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each handing its value to the next as last argument, and the variables that take the last value."""

    commands: tuple[tuple[Operand, ...], ...]
    variables: tuple[str, ...] = ()
    assigns: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """`{{pipeline}}`: prints the value unless it goes into a variable."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range` with what to do, and what to do otherwise."""

    kind: str
    pipe: Pipe
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """`{{template "name" pipeline}}`."""

    name: str
    pipe: Pipe | None


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` or `continue`."""

    kind: str


Operand: TypeAlias = Constant | Root | Variable | Call | Chain | Pipe
Node: TypeAlias = Text | Action | Branch | Template | Jump


# Tokens

_SPACE: Final = " \t\r\n"
_NUMBER: Final = (
    r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
_TOKEN: Final = re.compile(
    rf"""
      (?P<end>[ \t\r\n]-\}}\}}|\}}\}})
    | (?P<space>[ \t\r\n]+?(?=[ \t\r\n]-\}}\}})|[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    | (?P<char>'(?:[^'\\\n]|\\.)+')
    | (?P<number>{_NUMBER})(?![\w.])
    | (?P<variable>\$\w*)
    | (?P<field>\.\w+)
    | (?P<word>\w+)
    | (?P<mark>:=|[=|,().])
    """,
    re.VERBOSE,
)
_COMMENT: Final = re.compile(r"/\*.*?\*/(?P<end>[ \t\r\n]-\}\}|\}\})", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_SIMPLE_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int
    spaced: bool  # whether space stands before it


def _tokens(text: str) -> list[_Token]:
    """Texts, and the tokens of each action with an `end` behind them."""
    found: list[_Token] = []
    place, trims = 0, False
    while place < len(text):
        start = text.find("{{", place)
        literal = text[place:] if start < 0 else text[place:start]
        literal = literal.lstrip(_SPACE) if trims else literal
        dash = start >= 0 and text[start + 2 : start + 3] == "-" and text[start + 3 : start + 4] in tuple(_SPACE)
        literal = literal.rstrip(_SPACE) if dash else literal
        if literal:
            found.append(_Token("text", literal, _line(text, place), spaced=False))
        if start < 0:
            break
        place, trims = _action(text, start + (4 if dash else 2), found)
    return found


def _action(text: str, place: int, found: list[_Token]) -> tuple[int, bool]:
    """Read the tokens of an action; the place behind it, and whether it trims the space there."""
    if text.startswith("/*", place):
        comment = _COMMENT.match(text, place)
        if comment is None:
            raise TemplateSyntaxError(f"template:{_line(text, place)}: unclosed comment")
        return comment.end(), len(comment["end"]) > 2
    depth, spaced = 0, False
    while match := _TOKEN.match(text, place):
        kind, place = str(match.lastgroup), match.end()
        if kind != "space":
            found.append(_Token(kind, match[0], _line(text, match.start()), spaced))
            depth += {"(": 1, ")": -1}.get(match[0], 0)
        spaced = kind == "space"
        if kind == "end":
            if depth:
                raise TemplateSyntaxError(f"template:{_line(text, place)}: unclosed left paren")
            return place, len(match[0]) > 2
    problem = "unclosed action" if place >= len(text) else f"unexpected {text[place]!r} in action"
    raise TemplateSyntaxError(f"template:{_line(text, place)}: {problem}")


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _unquote(text: str) -> str:
    return text[1:-1] if text[0] == "`" else _ESCAPE.sub(_character, text[1:-1])


def _character(match: re.Match[str]) -> str:
    for digits, base in ((match[1], 16), (match[2], 16), (match[3], 16), (match[4], 8)):
        if digits:
            return chr(int(digits, base))
    return _SIMPLE_ESCAPES.get(match[5], match[5])


def _number(text: str) -> int | float:
    digits = text.replace("_", "")
    try:
        return int(digits, 0) if not re.fullmatch(r"[+-]?0[0-7]+", digits) else int(digits, 8)
    except ValueError:
        return float(digits)


# The parser

_CONSTANTS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "nil": None}
_BRANCHES: Final = frozenset({"if", "range", "with"})
_ENDS: Final = frozenset({"end", "else"})


def parse(text: str, functions: Collection[str]) -> dict[str, tuple[Node, ...]]:
    """The templates of a text by name; the text itself is the one with an empty name."""
    return _Parser(_tokens(text), functions).templates()


class _Parser:
    def __init__(self, tokens: list[_Token], functions: Collection[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._functions = functions
        self._variables = ["$"]
        self._loops = 0
        self._depth = 0
        self._templates: dict[str, tuple[Node, ...]] = {}

    def templates(self) -> dict[str, tuple[Node, ...]]:
        """All templates, defined ones and the text itself."""
        body, ended = self._list()
        if ended:
            raise self._fault(f"unexpected {{{{{ended}}}}}")
        self._templates[""] = body
        return self._templates

    # Reading tokens

    def _peek(self) -> _Token:
        if self._place < len(self._tokens):
            return self._tokens[self._place]
        return _Token("eof", "EOF", self._tokens[-1].line if self._tokens else 1, spaced=False)

    def _next(self) -> _Token:
        token = self._peek()
        self._place += 1
        return token

    def _accept(self, *texts: str) -> str:
        token = self._peek()
        if token.kind in ("mark", "word") and token.text in texts:
            self._place += 1
            return token.text
        return ""

    def _end(self, context: str) -> None:
        token = self._next()
        if token.kind != "end":
            raise self._unexpected(token, context)

    def _fault(self, text: str) -> TemplateSyntaxError:
        return TemplateSyntaxError(f"template:{self._peek().line}: {text}")

    def _unexpected(self, token: _Token, context: str) -> TemplateSyntaxError:
        return TemplateSyntaxError(f"template:{token.line}: unexpected {token.text!r} in {context}")

    # Lists and actions

    def _list(self) -> tuple[tuple[Node, ...], str]:
        """Nodes up to the `end` or `else` that is not theirs, and which of them that was."""
        nodes: list[Node] = []
        ended = ""
        self._depth += 1
        while (token := self._next()).kind != "eof":
            if token.kind == "text":
                nodes.append(Text(token.text))
                continue
            self._place -= 1
            word = token.text if token.kind == "word" else ""
            if word in _ENDS:
                self._place += 1
                ended = word
                break
            nodes += self._statement(word)
        self._depth -= 1
        return tuple(nodes), ended

    def _statement(self, word: str) -> list[Node]:
        if word in _BRANCHES:
            self._place += 1
            return [self._branch(word)]
        if word in self._STATEMENTS:
            self._place += 1
            return self._STATEMENTS[word](self, word)
        pipe = self._pipe("command")
        self._end("command")
        return [Action(pipe)]

    def _branch(self, kind: str) -> Branch:
        scope = len(self._variables)
        pipe = self._pipe(kind, two=kind == "range")
        self._end(kind)
        self._loops += kind == "range"
        body, ended = self._list()
        self._loops -= kind == "range"
        otherwise = self._otherwise(kind) if ended == "else" else self._close(ended, ())
        del self._variables[scope:]
        return Branch(kind, pipe, body, otherwise)

    def _otherwise(self, kind: str) -> tuple[Node, ...]:
        """What follows `else`; an `else if` and an `else with` share the `end` of what they follow."""
        if kind != "range" and self._accept(kind):
            return (self._branch(kind),)
        self._end("else")
        body, ended = self._list()
        return self._close(ended, body)

    def _close(self, ended: str, body: tuple[Node, ...]) -> tuple[Node, ...]:
        if ended != "end":
            raise self._fault(f"unexpected {ended or 'EOF'}")
        self._end("end")
        return body

    def _define(self, word: str) -> list[Node]:
        token = self._next()
        if token.kind != "string" or (word == "define" and self._depth > 1):
            raise self._unexpected(token, f"{word} clause")
        name, pipe = _unquote(token.text), None
        if word == "block":
            pipe = self._pipe("block clause")
        self._end(f"{word} clause")
        outer, self._variables = self._variables, ["$"]
        body, ended = self._list()
        self._variables = outer
        self._templates[name] = self._close(ended, body)
        return [Template(name, pipe)] if word == "block" else []

    def _template(self, word: str) -> list[Node]:
        token = self._next()
        if token.kind != "string":
            raise self._unexpected(token, f"{word} clause")
        pipe = None if self._peek().kind == "end" else self._pipe("template clause")
        self._end("template clause")
        return [Template(_unquote(token.text), pipe)]

    def _jump(self, word: str) -> list[Node]:
        self._end(word)
        if not self._loops:
            raise self._fault(f"{{{{{word}}}}} outside {{{{range}}}}")
        return [Jump(word)]

    _STATEMENTS: Final[Mapping[str, Callable[[_Parser, str], list[Node]]]] = {
        "block": _define,
        "break": _jump,
        "continue": _jump,
        "define": _define,
        "template": _template,
    }

    # Pipelines

    def _pipe(self, context: str, *, two: bool = False) -> Pipe:
        variables, assigns = self._declaration(two=two)
        commands = [self._command(context)]
        while self._accept("|"):
            commands.append(self._command(context))
        for command in commands[1:]:
            if isinstance(command[0], (Constant, Root)):
                raise self._fault("non executable command in pipeline stage 2")
        if not assigns:
            self._variables += variables
        return Pipe(tuple(commands), tuple(variables), assigns)

    def _declaration(self, *, two: bool) -> tuple[list[str], bool]:
        """The variables before `:=` or `=`, if there are any; a range may have two."""
        start = self._place
        variables: list[str] = []
        while self._peek().kind == "variable" and len(variables) < 1 + two:
            variables.append(self._next().text)
            if mark := self._accept(":=", "="):
                if mark == "=":
                    for name in variables:
                        self._check_variable(name)
                return variables, mark == "="
            if not self._accept(","):
                break
        self._place = start
        return [], False

    def _command(self, context: str) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while (token := self._peek()).kind not in ("end", "eof") and token.text not in ("|", ")"):
            if operands and not token.spaced:
                raise self._unexpected(token, "operand")
            operands.append(self._operand())
        if not operands:
            raise self._fault(f"missing value for {context}")
        return tuple(operands)

    def _operand(self) -> Operand:
        token = self._next()
        base = self._term(token)
        fields = [token.text[1:]] if token.kind == "field" else []
        while self._peek().kind == "field" and not self._peek().spaced:
            fields.append(self._next().text[1:])
        if fields and isinstance(base, Constant):
            raise self._fault(f"unexpected . after term {token.text!r}")
        return Chain(base, tuple(fields)) if fields else base

    def _term(self, token: _Token) -> Operand:
        if token.kind in self._TERMS:
            return self._TERMS[token.kind](self, token)
        if token.text == "(":
            pipe = self._pipe("parenthesized pipeline")
            if not self._accept(")"):
                raise self._unexpected(self._peek(), "parenthesized pipeline")
            return pipe
        if token.text != ".":
            raise self._unexpected(token, "operand")
        return Root()

    def _word(self, token: _Token) -> Operand:
        if token.text in _CONSTANTS:
            return Constant(_CONSTANTS[token.text])
        if token.text not in self._functions:
            raise self._fault(f'function "{token.text}" not defined')
        return Call(token.text)

    def _variable(self, token: _Token) -> Operand:
        self._check_variable(token.text)
        return Variable(token.text)

    def _check_variable(self, name: str) -> None:
        if name not in self._variables:
            raise self._fault(f'undefined variable "{name}"')

    _TERMS: Final[Mapping[str, Callable[[_Parser, _Token], Operand]]] = {
        "char": lambda _, token: Constant(ord(_unquote(token.text)[0])),
        "field": lambda _self, _token: Root(),
        "number": lambda _, token: Constant(_number(token.text)),
        "string": lambda _, token: Constant(_unquote(token.text)),
        "variable": _variable,
        "word": _word,
    }
