"""Built-ins about the language itself: `rego.parse_module`, `trace`, and the operators that are calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins.operands import BuiltinError, string
from procurator.runtime.context import Evaluation
from procurator.values import Value, equal, loads
from procurator_rules.ast_json import module_json
from procurator_rules.errors import PolicyError
from procurator_rules.json_text import json_text
from procurator_rules.parser import parse_module

__all__ = ["CONTEXT_TABLE", "TABLE"]


def rego_parse_module(filename: Value, text: Value) -> Value:
    """The syntax tree of a policy, as `opa parse --format json` prints it."""
    name = string(filename, 1)
    try:
        return loads(json_text(module_json(parse_module(string(text, 2), name))))
    except PolicyError as error:
        raise BuiltinError(error.headline) from None


def trace(evaluation: Evaluation, note: Value) -> Value:
    """Add a note to the explanation of the evaluation; true."""
    text = string(note, 1)
    if evaluation.note is not None:
        evaluation.note(text)
    return True


def mark_case(value: Value) -> Value:  # noqa: ARG001  # the runner of tests looks at the call alone
    """Marks the case of a parameterised test; true."""
    return True


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "assign": equal,
    "eq": equal,
    "internal.test_case": mark_case,
    "rego.parse_module": rego_parse_module,
}
CONTEXT_TABLE: Final[Mapping[str, Callable[..., Value]]] = {"trace": trace}
