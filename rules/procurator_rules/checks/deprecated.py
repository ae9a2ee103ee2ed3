"""Calls of built-in functions that Rego v1 has given up."""

from collections.abc import Iterator, Mapping
from typing import Final

from procurator_rules.checks.facts import Facts
from procurator_rules.checks.program import Program, function_name
from procurator_rules.checks.text import line_span
from procurator_rules.errors import TYPE, PolicyError
from procurator_rules.nodes import Call, Expr

INSTEAD: Final[Mapping[str, str]] = {
    "all": "use `every`, or compare the count of what is not true with 0",
    "any": "use `some x in xs`, or `true in xs`",
    "cast_array": "use `[x | some x in xs]`, or check with `is_array`",
    "cast_boolean": "check with `is_boolean`",
    "cast_null": "check with `is_null`",
    "cast_object": "check with `is_object`",
    "cast_set": "use `{x | some x in xs}`, or check with `is_set`",
    "cast_string": "check with `is_string`",
    "net.cidr_overlap": "use `net.cidr_contains`",
    "re_match": "use `regex.match`",
    "set_diff": "use the operator `-`",
}
"""What to write in the place of each."""


def stage(program: Program) -> list[PolicyError]:
    """Deprecated built-in functions, in modules of Rego v1 and, when strict, in all."""
    deprecated = frozenset(
        name for name, entry in program.options.capabilities.builtins.items() if entry.get("deprecated") is True
    )
    return _calls_of(
        program,
        deprecated,
        "deprecated",
        [name for name, module in program.modules.items() if program.options.strict or module.rego_version >= 1],
    )


def unsafe(program: Program) -> list[PolicyError]:
    """Built-in functions that the options forbid."""
    return _calls_of(program, program.options.unsafe_builtins, "unsafe", list(program.modules))


def _calls_of(program: Program, names: frozenset[str], what: str, modules: list[str]) -> list[PolicyError]:
    if not names:
        return []
    errors: list[PolicyError] = []
    for module in modules:
        for rule in program.facts[module]:
            errors += [
                _error(what, name, where)
                for facts in rule
                for call, where in _calls(facts)
                if (name := function_name(call.operator)) in names
            ]
    return errors


def _calls(facts: Facts) -> Iterator[tuple[Call, Expr | Call]]:
    """The calls of a branch, those that are lines with the line."""
    for line in facts.lines:
        if isinstance(line.term, Call):
            yield line.term, line
    for call in facts.calls:
        yield call, call


def _error(what: str, name: str, where: Expr | Call) -> PolicyError:
    at = line_span(where) if isinstance(where, Expr) else where.span
    message = f"{what} built-in function calls in expression: {name}"
    return PolicyError(TYPE, message, at=at, hint=INSTEAD.get(name) if what == "deprecated" else None)
