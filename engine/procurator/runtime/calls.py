"""How evaluation calls built-ins: errors become undefined or, when strict, errors of the policy."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from procurator.builtins.operands import BuiltinError, OperandError
from procurator.render import render
from procurator.values import UNDEFINED, Set, Value
from procurator_rules.errors import PolicyError
from procurator_rules.spans import Span

BUILTIN_ERROR: Final = "eval_builtin_error"
TYPE_ERROR: Final = "eval_type_error"

Function = Callable[..., Value]
OnError = Callable[[PolicyError], None]
"""What is done with the error of a built-in: raise it, keep it, or nothing; the call is undefined if it returns."""


def bind_builtin(name: str, function: Function, span: Span, on_error: OnError) -> Function:
    """The function that generated code calls for one call of a built-in."""

    def call(*args: Value) -> Value:
        try:
            return function(*args)
        except (BuiltinError, OperandError) as error:
            on_error(error_of(name, error, span))
            return UNDEFINED

    return call


def raise_error(error: PolicyError) -> None:
    """Let an error of a built-in end the evaluation."""
    raise error


def ignore_error(_error: PolicyError) -> None:
    """Let a built-in's error make the call undefined and nothing else."""


def error_of(name: str, error: Exception, span: Span) -> PolicyError:
    """The error of a policy that an error of a built-in stands for."""
    code = TYPE_ERROR if isinstance(error, OperandError) else BUILTIN_ERROR
    return PolicyError(code, f"{name}: {error}", at=span)


def print_values(evaluation: Any, parts: Sequence[Set], span: Span) -> None:
    """What `print` does: the texts of its operands in one line."""
    if evaluation.print is not None:
        texts = [_shown(part) for part in parts]
        evaluation.print(" ".join(texts), span)


def _shown(part: Set) -> str:
    for value in part:
        return value if isinstance(value, str) else render(value)
    return "<undefined>"
