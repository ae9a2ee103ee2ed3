"""A policy engine for fleets of AI agents: Rego compiled to Python, every action decided before it happens.

Names are imported when they are first used, so that commands which need no evaluator start without one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from procurator.decision import Decision
    from procurator.engine import Engine
    from procurator.governance.decision import Denied, GatewayDecision
    from procurator.governance.gateway import Gateway
    from procurator.governance.guard import Actor, acting, approved
    from procurator.limits import Limits
    from procurator.prepared import Prepared
    from procurator.runtime.context import Options
    from procurator.values import UNDEFINED, Set, Value, dumps, loads
    from procurator_rules.errors import PolicyError, PolicyErrors

__all__ = [
    "UNDEFINED",
    "Actor",
    "Decision",
    "Denied",
    "Engine",
    "Gateway",
    "GatewayDecision",
    "Limits",
    "Options",
    "PolicyError",
    "PolicyErrors",
    "Prepared",
    "Set",
    "Value",
    "acting",
    "approved",
    "dumps",
    "loads",
]

_HOMES: Final = {
    "UNDEFINED": "procurator.values",
    "Actor": "procurator.governance.guard",
    "Decision": "procurator.decision",
    "Denied": "procurator.governance.decision",
    "Engine": "procurator.engine",
    "Gateway": "procurator.governance.gateway",
    "GatewayDecision": "procurator.governance.decision",
    "Limits": "procurator.limits",
    "Options": "procurator.runtime.context",
    "PolicyError": "procurator_rules.errors",
    "PolicyErrors": "procurator_rules.errors",
    "Prepared": "procurator.prepared",
    "Set": "procurator.values",
    "Value": "procurator.values",
    "acting": "procurator.governance.guard",
    "approved": "procurator.governance.guard",
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
