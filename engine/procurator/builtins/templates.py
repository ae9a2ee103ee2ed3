"""`strings.render_template`: Go's `text/template` on the values of an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from procurator.builtins.operands import BuiltinError, object_, string
from procurator.builtins.template_functions import (
    FUNCTIONS,
    JsonNumber,
    TemplateError,
    TemplateValue,
    text_of,
    truth,
    type_of,
)
from procurator.builtins.template_syntax import (
    Action,
    Branch,
    Call,
    Chain,
    Constant,
    Jump,
    Node,
    Operand,
    Pipe,
    Root,
    Template,
    TemplateSyntaxError,
    Text,
    Variable,
    parse,
)
from procurator.numbers import number_text
from procurator.values import UNDEFINED, Set, Value, bounded, type_name

# Nested ranges multiply; a template that takes more steps or writes more text than this is refused.
_MAX_STEPS: Final = 1_000_000
_MAX_LENGTH: Final = 1 << 25

# A key that a map has not. It prints like null, but fields of it are missing too, where those of null are an error.
_MISSING: Final = UNDEFINED


@bounded
def render_template(text: Value, variables: Value) -> str:
    """The template with its actions carried out on the object."""
    source, data = string(text, 1), object_(variables, 2)
    try:
        run = _Run(_parse(source))
        run.template("", _value(data))
    except (TemplateSyntaxError, TemplateError) as fault:
        raise BuiltinError(f"template: {fault}") from None
    return "".join(run.out).replace("<no value>", "<undefined>")


@lru_cache(maxsize=256)
def _parse(text: str) -> Mapping[str, tuple[Node, ...]]:
    return parse(text, FUNCTIONS.keys())


def _value(value: Value) -> TemplateValue:
    """The template value of a Rego value; what JSON cannot hold is refused, as in OPA."""
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TemplateError("object keys must be strings")
        return {key: _value(item) for key, item in value.items()}
    if isinstance(value, Set):
        raise TemplateError(f"cannot use a {type_name(value)}")
    return JsonNumber(number_text(value))


class _Run:
    """One rendering: the text so far and the variables in scope."""

    def __init__(self, templates: Mapping[str, tuple[Node, ...]]) -> None:
        self.out: list[str] = []
        self._templates = templates
        self._scope: list[tuple[str, TemplateValue]] = []
        self._steps = 0
        self._length = 0

    def template(self, name: str, dot: TemplateValue) -> None:
        """Carry a template out; it sees none of its caller's variables."""
        if name not in self._templates:
            raise TemplateError(f'template "{name}" not defined')
        outer, self._scope = self._scope, [("$", dot)]
        self._walk(self._templates[name], dot)
        self._scope = outer

    def _walk(self, nodes: tuple[Node, ...], dot: TemplateValue) -> str:
        """Carry out the nodes; what is returned, `break` or `continue`, is meant for the range around them."""
        for node in nodes:
            self._steps += 1
            if self._steps > _MAX_STEPS:
                raise TemplateError("template takes too many steps")
            if jump := self._NODES[type(node)](self, node, dot):
                return jump
        return ""

    def _write(self, text: str) -> None:
        self._length += len(text)
        if self._length > _MAX_LENGTH:
            raise TemplateError("text too long")
        self.out.append(text)

    # Nodes

    def _text(self, node: Text, _dot: TemplateValue) -> str:
        self._write(node.text)
        return ""

    def _action(self, node: Action, dot: TemplateValue) -> str:
        value = self._pipe(node.pipe, dot)
        if not node.pipe.variables:
            self._write("<no value>" if value is None or value is _MISSING else text_of(value))
        return ""

    def _branch(self, node: Branch, dot: TemplateValue) -> str:
        depth = len(self._scope)
        value = self._pipe(node.pipe, dot)
        jump = ""
        if node.kind == "range":
            if not self._range(node, value):
                jump = self._walk(node.otherwise, dot)
        elif truth(value):
            jump = self._walk(node.body, value if node.kind == "with" else dot)
        else:
            jump = self._walk(node.otherwise, dot)
        del self._scope[depth:]
        return jump

    def _range(self, node: Branch, value: TemplateValue) -> bool:
        names = node.pipe.variables
        depth = len(self._scope)
        pairs = _pairs(value, len(names))
        for index, item in pairs:
            for name, bound in zip(names, (index, item)[-len(names) :], strict=False):
                self._bind(name, bound, node.pipe)
            jump = self._walk(node.body, item)
            del self._scope[depth:]
            if jump == "break":
                break
        return bool(pairs)

    def _bind(self, name: str, value: TemplateValue, pipe: Pipe) -> None:
        if pipe.assigns:
            self._assign(name, value)
        else:
            self._scope.append((name, value))

    def _assign(self, name: str, value: TemplateValue) -> None:
        for i in range(len(self._scope) - 1, -1, -1):
            if self._scope[i][0] == name:
                self._scope[i] = (name, value)
                return

    def _call_template(self, node: Template, dot: TemplateValue) -> str:
        self.template(node.name, _MISSING if node.pipe is None else self._pipe(node.pipe, dot))
        return ""

    def _jump(self, node: Jump, _dot: TemplateValue) -> str:
        return node.kind

    # Pipelines

    def _pipe(self, pipe: Pipe, dot: TemplateValue) -> TemplateValue:
        final: list[TemplateValue] = []
        for command in pipe.commands:
            final = [self._command(command, final, dot)]
        for name in pipe.variables:
            self._bind(name, final[0], pipe)
        return final[0]

    def _command(self, command: tuple[Operand, ...], final: list[TemplateValue], dot: TemplateValue) -> TemplateValue:
        first, *rest = command
        if isinstance(first, Call):
            return self._function(first.name, rest, final, dot)
        if rest or final:
            raise TemplateError("can't give argument to non-function")
        if first == Constant(None):
            raise TemplateError("nil is not a command")
        return self._operand(first, dot)

    def _function(
        self, name: str, operands: list[Operand], final: list[TemplateValue], dot: TemplateValue
    ) -> TemplateValue:
        least, most, function = FUNCTIONS[name]
        count = len(operands) + len(final)
        if count < least or count > most >= 0:
            wanted = f"want {'at least ' if most < 0 else ''}{least} got {count}"
            raise TemplateError(f"wrong number of args for {name}: {wanted}")
        arguments: list[TemplateValue] = []
        for operand in operands:
            argument = self._operand(operand, dot)
            arguments.append(None if argument is _MISSING else argument)
            if name in _STOPS and truth(argument) is _STOPS[name]:
                return arguments[-1]
        try:
            return function(*arguments, *[None if value is _MISSING else value for value in final])
        except TemplateError as fault:
            raise TemplateError(f"error calling {name}: {fault}") from None

    def _operand(self, operand: Operand, dot: TemplateValue) -> TemplateValue:
        return self._OPERANDS[type(operand)](self, operand, dot)

    def _variable(self, operand: Variable, _dot: TemplateValue) -> TemplateValue:
        return next(value for name, value in reversed(self._scope) if name == operand.name)

    def _chain(self, chain: Chain, dot: TemplateValue) -> TemplateValue:
        value = self._operand(chain.base, dot)
        for field in chain.fields:
            value = _field(value, field)
        return value

    def _bare_call(self, call: Call, dot: TemplateValue) -> TemplateValue:
        return self._function(call.name, [], [], dot)

    _NODES: Final[Mapping[type, Callable[[_Run, Any, TemplateValue], str]]] = {
        Action: _action,
        Branch: _branch,
        Jump: _jump,
        Template: _call_template,
        Text: _text,
    }
    _OPERANDS: Final[Mapping[type, Callable[[_Run, Any, TemplateValue], TemplateValue]]] = {
        Call: _bare_call,
        Chain: _chain,
        Constant: lambda _, constant, _dot: constant.value,
        Pipe: _pipe,
        Root: lambda _, _root, dot: dot,
        Variable: _variable,
    }


# With which truth of an argument these functions stop and return it.
_STOPS: Final[Mapping[str, bool]] = {"and": False, "or": True}


def _field(value: TemplateValue, name: str) -> TemplateValue:
    if value is _MISSING:
        return _MISSING
    if value is None:
        raise TemplateError(f"nil pointer evaluating interface {{}}.{name}")
    if not isinstance(value, dict):
        raise TemplateError(f"can't evaluate field {name} in type {type_of(value)}")
    return value.get(name, _MISSING)


def _pairs(value: TemplateValue, names: int) -> list[tuple[TemplateValue, TemplateValue]]:
    """Index and item of each round of a range."""
    if isinstance(value, list):
        return list(enumerate(value))
    if isinstance(value, dict):
        return sorted(value.items())
    if type(value) is int and names < 2:
        if value > _MAX_STEPS:
            raise TemplateError("template takes too many steps")
        return [(None, i) for i in range(value)]
    if value is None or value is _MISSING:
        return []
    raise TemplateError(f"range can't iterate over {text_of(value)}")


TABLE: Final[Mapping[str, Callable[..., Value]]] = {"strings.render_template": render_template}
