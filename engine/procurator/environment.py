"""What queries are bound to, and the rows they give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from procurator.builtins.registry import ONCE
from procurator.limits import Limits
from procurator.runtime.calls import OnError, ignore_error
from procurator.runtime.context import NOTHING_ALLOWED, Options
from procurator.values import Value

Row = tuple[Value, ...]


@dataclass(frozen=True)
class Environment:
    """What a query is bound to.

    Attributes:
        data: the base documents.
        functions: the built-ins by name.
        contextual: those that take the evaluation first.
        on_error: what is done with errors of built-ins.
        once: the built-ins whose calls can be seen from outside.
    """

    data: Value
    functions: Mapping[str, Callable[..., Value]]
    contextual: frozenset[str]
    options: Options = NOTHING_ALLOWED
    limits: Limits | None = None
    on_error: OnError = ignore_error
    print_to: Callable[..., None] | None = None
    once: frozenset[str] = ONCE

    @property
    def strict(self) -> bool:
        """Whether errors of built-ins count, rather than being undefined and nothing else."""
        return self.on_error is not ignore_error
