"""How the case tables of the built-ins are run: a call gives a value, UNDEFINED or an `Error` with its whole text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from procurator.builtins.operands import BuiltinError, OperandError
from procurator.values import UNDEFINED, dumps, key_of


@dataclass(frozen=True)
class Error:
    """The whole text of the error a call gives."""

    text: str


def outcome(table: Mapping[str, Callable[..., Any]], name: str, *operands: Any) -> Any:
    """What the call gives."""
    try:
        return table[name](*operands)
    except (BuiltinError, OperandError) as error:
        return Error(str(error))


def check(got: Any, wanted: Any) -> None:
    """Both are the same error, both are undefined, or both are the same Rego value."""
    if isinstance(wanted, Error) or isinstance(got, Error) or wanted is UNDEFINED or got is UNDEFINED:
        assert got == wanted
    else:
        assert (dumps(got), key_of(got)) == (dumps(wanted), key_of(wanted))
