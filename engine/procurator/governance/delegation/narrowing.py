"""What a link takes away from its parent, for people: each limit that differs, with what it was and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from procurator.governance.delegation.tokens import Link, budget_to_json
from procurator.governance.scope.authority import OPERATIONS, Grant
from procurator.governance.scope.authorization_details import constraint_to_json

Json: TypeAlias = Any

GRANTED: Final = "granted"
"""What stands for a tool as a whole."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One limit that differs.

    Attributes:
        path: which, for example `tools.read_file.resources`.
        before: the parent's; None where it has no such limit.
        after: the child's; None where nothing is left of what was granted.
    """

    path: str
    before: Json
    after: Json


def narrowings(parent: Link, child: Link) -> tuple[Narrowing, ...]:
    """What a link takes away, in the order of its claims."""
    before, after = limits(parent), limits(child)
    gone = {f"tools.{tool}" for tool in parent.authority.tools.keys() - child.authority.tools.keys()}
    if "not_before" not in after:
        before.pop("not_before", None)  # the parent's goes on to hold
    paths = [path for path in {**before, **after} if not any(path.startswith(f"{tool}.") for tool in gone)]
    found = [Narrowing(path, before.get(path), after.get(path)) for path in paths]
    return tuple(one for one in found if one.before != one.after)


def limits(link: Link) -> dict[str, Json]:
    """The limits of a link by their paths."""
    found: dict[str, Json] = {"expires": link.expires, "max_depth": link.max_depth, "audience": list(link.audience)}
    if link.not_before is not None:
        found["not_before"] = link.not_before
    budget = {} if link.budget is None else budget_to_json(link.budget)
    found |= {f"budget.{unit}": amount for unit, amount in budget.items()}
    for tool, grant in link.authority.tools.items():
        found[f"tools.{tool}"] = GRANTED
        found |= {f"tools.{tool}.{name}": limit for name, limit in _grant(grant).items()}
    return found


def _grant(grant: Grant) -> dict[str, Json]:
    found: dict[str, Json] = {"operations": [one for one in OPERATIONS if one in grant.operations]}
    if grant.resources is not None:
        found["resources"] = [pattern.pattern for pattern in grant.resources]
    for name, argument in grant.arguments.items():
        optional = {"optional": True} if argument.optional else {}
        found[f"arguments.{name}"] = constraint_to_json(argument.constraint) | optional
    return found | {"arguments": "any" if grant.open else "those named"}
