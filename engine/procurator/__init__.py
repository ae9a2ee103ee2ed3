"""A policy engine for fleets of AI agents: Rego compiled to Python, every action decided before it happens.

The names below are loaded when they are first asked for: the command line gets by without most of them.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from procurator.decision import Decision
    from procurator.engine import Engine
    from procurator.limits import Limits
    from procurator.prepared import Prepared
    from procurator.runtime.context import Options
    from procurator.values import UNDEFINED, Set, Value, dumps, loads
    from procurator_rules.errors import PolicyError, PolicyErrors

__all__ = [
    "UNDEFINED",
    "Decision",
    "Engine",
    "Limits",
    "Options",
    "PolicyError",
    "PolicyErrors",
    "Prepared",
    "Set",
    "Value",
    "dumps",
    "loads",
]

_HOMES: Final = {
    "UNDEFINED": "procurator.values",
    "Decision": "procurator.decision",
    "Engine": "procurator.engine",
    "Limits": "procurator.limits",
    "Options": "procurator.runtime.context",
    "PolicyError": "procurator_rules.errors",
    "PolicyErrors": "procurator_rules.errors",
    "Prepared": "procurator.prepared",
    "Set": "procurator.values",
    "Value": "procurator.values",
    "dumps": "procurator.values",
    "loads": "procurator.values",
}


def __getattr__(name: str) -> object:
    """A public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
