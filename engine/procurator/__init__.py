"""A policy engine for fleets of AI agents: Rego compiled to Python, every action decided before it happens."""

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
