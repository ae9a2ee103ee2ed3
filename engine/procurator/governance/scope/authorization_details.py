"""Authorities from and to JSON: AAT's `authorization_details`, strictly.

An entry of type `attenuating_agent_token` has `tools` as AAT defines them. Beside them it may have `operations` and
`resources`, each an object from a tool of `tools` to an array; a tool that is not in there has no such limit, as in a
plain AAT token. To AAT an empty object of arguments admits any; the tools listed in `closed` admit none. What is not
known is an error, with its place: a limit that somebody wrote must not be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from procurator.governance.scope.authority import OPERATIONS, Amount, Argument, Authority, Grant, amount_of
from procurator.governance.scope.combinations import MAX_DEPTH, AllOf, AnyOf, Not
from procurator.governance.scope.constraints import (
    Constraint,
    Contains,
    Exact,
    Json,
    NotOneOf,
    OneOf,
    Pattern,
    Range,
    Regex,
    Subpath,
    Subset,
    Wildcard,
)
from procurator.numbers import number

ENTRY_TYPE: Final = "attenuating_agent_token"
OTHERS: Final = "*"

_ENTRY_MEMBERS: Final = frozenset({"type", "tools", "operations", "resources", "closed"})
_REFUSED: Final = {"cel": "`cel` is refused: containment of programs cannot be decided"}

Reader: TypeAlias = "Callable[[Json, str, int], Any]"
"""Reads a member; given its path, and how deep constraints may still be nested."""


class ScopeError(ValueError):
    """What an authority is written in is malformed.

    Attributes:
        path: where, for example `$[0].tools.read_file.path.min`.
        problem: what is wrong there.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class UnknownConstraintError(ScopeError):
    """A constraint is of a type that is not known."""


@dataclass(frozen=True)
class Kind:
    """How a type of constraint is written: its class and the readers of its members."""

    make: Callable[..., Constraint]
    required: Mapping[str, Reader] = field(default_factory=dict)
    optional: Mapping[str, Reader] = field(default_factory=dict)

    @property
    def members(self) -> dict[str, Reader]:
        return {**self.required, **self.optional}


# Reading


def authority_from_json(details: Json, path: str = "$") -> Authority:
    """The authority of an `authorization_details` array. Entries of other types give none and are passed over."""
    entries = [
        (entry, f"{path}[{at}]")
        for at, entry in enumerate(_list(details, path))
        if _object(entry, f"{path}[{at}]").get("type") == ENTRY_TYPE
    ]
    if len(entries) > 1:
        raise ScopeError(entries[1][1], f"there is more than one entry of type `{ENTRY_TYPE}`")
    return _entry(*entries[0]) if entries else Authority({})


def _entry(entry: Json, path: str) -> Authority:
    _only(entry, _ENTRY_MEMBERS, path)
    if "tools" not in entry:
        raise ScopeError(path, "has no `tools`")
    tools = _object(entry["tools"], f"{path}.tools")
    limits = {name: _object(entry.get(name, {}), f"{path}.{name}") for name in ("operations", "resources")}
    for name, limit in limits.items():
        _only(limit, tools.keys(), f"{path}.{name}")
    closed = _closed(entry.get("closed", []), tools, path)
    return Authority({tool: _grant(tool, grant, limits, path, tool in closed) for tool, grant in tools.items()})


def _closed(value: Json, tools: Mapping[str, Json], path: str) -> frozenset[str]:
    for at, tool in enumerate(_list(value, f"{path}.closed")):
        if not isinstance(tool, str) or tools.get(tool) != {}:
            raise ScopeError(f"{path}.closed[{at}]", "is not a tool with an empty object in `tools`")
    return frozenset(value)


def _grant(tool: str, value: Json, limits: Mapping[str, Json], path: str, closed: bool) -> Grant:
    place = f"{path}.tools.{tool}"
    named = {name: entry for name, entry in _object(value, place).items() if name != OTHERS}
    if OTHERS in value and value[OTHERS] != {"constraint_type": "wildcard"}:
        raise ScopeError(f"{place}.{OTHERS}", "must be a `wildcard` constraint and nothing else")
    operations, resources = limits["operations"], limits["resources"]
    return Grant(
        {name: _argument(entry, f"{place}.{name}") for name, entry in named.items()},
        _operations(operations[tool], f"{path}.operations.{tool}") if tool in operations else frozenset(OPERATIONS),
        _resources(resources[tool], f"{path}.resources.{tool}") if tool in resources else None,
        open=OTHERS in value or not (value or closed),
    )


def _argument(value: Json, path: str) -> Argument:
    optional = _object(value, path).get("optional", False)
    constraint = {name: member for name, member in value.items() if name != "optional"}
    return Argument(constraint_from_json(constraint, path), _flag(optional, f"{path}.optional", 0))


def _operations(value: Json, path: str) -> frozenset[str]:
    for at, operation in enumerate(_list(value, path)):
        if operation not in OPERATIONS:
            raise ScopeError(f"{path}[{at}]", f"is none of {', '.join(OPERATIONS)}")
    return frozenset(value)


def _resources(value: Json, path: str) -> tuple[Pattern, ...]:
    return tuple(_pattern(entry, f"{path}[{at}]") for at, entry in enumerate(_list(value, path)))


def _pattern(value: Json, path: str) -> Pattern:
    try:
        return Pattern(_text(value, path, 0))
    except ScopeError:
        raise
    except ValueError as error:
        raise ScopeError(path, str(error)) from None


def constraint_from_json(value: Json, path: str = "$", depth: int = MAX_DEPTH) -> Constraint:
    """A constraint; one that nests more than `depth` of them is refused."""
    name = _object(value, path).get("constraint_type")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        problem = _REFUSED.get(str(name), f"unknown constraint type `{name}`")
        raise UnknownConstraintError(f"{path}.constraint_type", problem if "constraint_type" in value else "is missing")
    if depth == 0:
        raise ScopeError(path, f"constraints are nested more than {MAX_DEPTH} deep")
    members = {key: member for key, member in value.items() if key != "constraint_type"}
    _only(members, kind.members.keys(), path)
    for key in kind.required.keys() - members.keys():
        raise ScopeError(path, f"has no `{key}`")
    read = {key: kind.members[key](member, f"{path}.{key}", depth - 1) for key, member in members.items()}
    return _made(kind, read, path)


def _made(kind: Kind, members: Mapping[str, Any], path: str) -> Constraint:
    for bound in ("min", "max"):
        if f"{bound}_inclusive" in members and bound not in members:
            raise ScopeError(f"{path}.{bound}_inclusive", f"there is no `{bound}`")
    try:
        return kind.make(**members)
    except ValueError as error:
        raise ScopeError(path, str(error)) from None


def budget_from_json(value: Json, path: str = "$") -> dict[str, Amount]:
    """The amounts of a budget by unit."""
    return {unit: _amount(amount, f"{path}.{unit}") for unit, amount in _object(value, path).items()}


def _amount(value: Json, path: str) -> Amount:
    try:
        return amount_of(value)
    except ValueError as error:
        raise ScopeError(path, str(error)) from None


# Members


def _object(value: Json, path: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ScopeError(path, "is not an object")
    for name in value:
        if not isinstance(name, str):
            raise ScopeError(path, "has a name that is not a string")
    return value


def _list(value: Json, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise ScopeError(path, "is not an array")
    return value


def _only(value: Mapping[str, Json], known: Any, path: str) -> None:
    for name in value:
        if name not in known:
            raise ScopeError(f"{path}.{name}", "is not known here")


def _text(value: Json, path: str, _depth: int) -> str:
    if not isinstance(value, str):
        raise ScopeError(path, "is not a string")
    return value


def _flag(value: Json, path: str, _depth: int) -> bool:
    if not isinstance(value, bool):
        raise ScopeError(path, "is not a boolean")
    return value


def _number(value: Json, path: str, _depth: int) -> Json:
    if isinstance(value, bool) or not hasattr(value, "as_integer_ratio"):
        raise ScopeError(path, "is not a number")
    return value


def _scalar(value: Json, path: str, _depth: int) -> Json:
    if isinstance(value, list | dict):
        raise ScopeError(path, "is not a string, number, boolean or null")
    return value


def _values(value: Json, path: str, _depth: int) -> Sequence[Json]:
    return tuple(_list(value, path))


def _some_values(value: Json, path: str, depth: int) -> Sequence[Json]:
    if not (values := _values(value, path, depth)):
        raise ScopeError(path, "is empty")
    return values


def _constraints(value: Json, path: str, depth: int) -> tuple[Constraint, ...]:
    entries = _some_values(value, path, depth)
    return tuple(constraint_from_json(entry, f"{path}[{at}]", depth) for at, entry in enumerate(entries))


KINDS: Final[Mapping[str, Kind]] = {
    "wildcard": Kind(Wildcard),
    "exact": Kind(Exact, {"value": _scalar}),
    "one_of": Kind(OneOf, {"values": _some_values}),
    "not_one_of": Kind(NotOneOf, {"excluded": _values}),
    "range": Kind(Range, optional={"min": _number, "max": _number, "min_inclusive": _flag, "max_inclusive": _flag}),
    "contains": Kind(Contains, {"required": _values}),
    "subset": Kind(Subset, {"allowed": _values}),
    "pattern": Kind(Pattern, {"pattern": _text}),
    "subpath": Kind(Subpath, {"root": _text}),
    "regex": Kind(Regex, {"pattern": _text}),
    "all": Kind(AllOf, {"constraints": _constraints}),
    "any": Kind(AnyOf, {"constraints": _constraints}),
    "not": Kind(Not, {"constraint": constraint_from_json}),
}


# Writing


def authority_to_json(authority: Authority) -> list[Json]:
    """The `authorization_details` array of an authority."""
    tools = authority.tools.items()
    entry: dict[str, Json] = {"type": ENTRY_TYPE, "tools": {tool: _arguments(grant) for tool, grant in tools}}
    narrowed = {tool: grant for tool, grant in tools if grant.operations != frozenset(OPERATIONS)}
    bound = {tool: grant.resources for tool, grant in tools if grant.resources is not None}
    closed = [tool for tool, grant in tools if not grant.arguments and not grant.open]
    if closed:
        entry["closed"] = closed
    if narrowed:
        entry["operations"] = {
            tool: [o for o in OPERATIONS if o in grant.operations] for tool, grant in narrowed.items()
        }
    if bound:
        entry["resources"] = {tool: [pattern.pattern for pattern in patterns] for tool, patterns in bound.items()}
    return [entry]


def _arguments(grant: Grant) -> dict[str, Json]:
    written = {
        name: constraint_to_json(argument.constraint) | ({"optional": True} if argument.optional else {})
        for name, argument in grant.arguments.items()
    }
    return written | ({OTHERS: {"constraint_type": "wildcard"}} if grant.open and written else {})


def constraint_to_json(constraint: Constraint) -> dict[str, Json]:
    """A constraint as it is written in a token; members that say what goes without saying are left out."""
    kind = KINDS[constraint.name]
    written: dict[str, Json] = {"constraint_type": constraint.name}
    for member in kind.required:
        written[member] = _written(getattr(constraint, member))
    for member in kind.optional:
        value = getattr(constraint, member)
        if value is not None and value is not True:
            written[member] = value if isinstance(value, bool) else number(value)
    return written


def _written(value: Any) -> Json:
    if isinstance(value, Constraint):
        return constraint_to_json(value)
    return [_written(item) for item in value] if isinstance(value, tuple) else value
