"""A policy engine for fleets of AI agents: Rego compiled to Python, every action decided before it happens.

Names are imported when they are first used, so that commands which need no evaluator start without one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

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
"""Where each public name is defined."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module `procurator` has no attribute `{name}`")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
