"""Case files: one policy a file, with what is wrong with it in comments that begin with `#!`.

#! code row:column message        an error
#!   text                         a line of its details
#! hint: text                     its hint
#! schemas: {...}                 schemas by name, the empty name for that of input
#! rego: 0                        the version of Rego, 1 if it is not said
#! strict: true                   whether the checks are strict
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from procurator_rules.annotations import attach, parse_annotations
from procurator_rules.checks import CheckOptions, Program
from procurator_rules.checks.dependencies import Graph, components
from procurator_rules.checks.program import Program as ProgramType
from procurator_rules.checks.safety import order_rules
from procurator_rules.checks.scope import resolve_names
from procurator_rules.errors import PolicyError
from procurator_rules.nodes import Module
from procurator_rules.parser import parse_module, parse_term

CASES = Path(__file__).parents[2] / "cases" / "checks"


def case_files(folder: str) -> list[str]:
    """The names of the cases in a folder."""
    return sorted(f"{folder}/{path.name}" for path in (CASES / folder).glob("*.rego"))


def settings(text: str) -> dict[str, object]:
    """The settings of a case."""
    found = re.findall(r"^#! (schemas|rego|strict): (.*)$", text, re.MULTILINE)
    return {name: json.loads(value) for name, value in found}


def expected(text: str) -> list[str]:
    """The lines of a case that tell of errors."""
    lines = [line[2:].rstrip() for line in text.splitlines() if line.startswith("#!")]
    return [line[1:] for line in lines if not line.startswith((" schemas:", " rego:", " strict:"))]


def told(errors: Iterable[PolicyError]) -> list[str]:
    """Errors as cases tell of them."""
    lines: list[str] = []
    for error in sorted(errors, key=PolicyError.sort_key):
        place = f"{error.location.row}:{error.location.column}" if error.location else "0:0"
        lines.append(f"{error.code} {place} {error.message}")
        lines += [f"  {line}" for line in error.details]
        lines += [f"hint: {error.hint}"] if error.hint else []
    return lines


def module_of(text: str, name: str = "case.rego", rego_version: int = 1) -> Module:
    """A module with its annotations."""
    module = parse_module(text, name, rego_version)
    if module.annotations or "METADATA" not in text:
        return module
    found = attach(module.package, module.imports, module.rules, parse_annotations(module.comments, parse_term))
    return replace(module, package=found.package, rules=found.rules, annotations=found.annotations)


def program_of(*texts: str, schemas: object = None, rego_version: int = 1, strict: bool = False) -> Program:
    """A program as far as the names in it are resolved."""
    modules = {f"{i}.rego": module_of(text, f"{i}.rego", rego_version) for i, text in enumerate(texts)}
    names = {(): schemas} if schemas is not None and not isinstance(schemas, dict) else schemas
    program, _ = resolve_names(Program(modules, CheckOptions(strict=strict, schemas=names)))
    return program


def in_order(program: ProgramType) -> ProgramType:
    """A program with its bodies in order, and the order of its rules."""
    ordered, problems = order_rules(program)
    assert told(problems) == []
    found = [vertex.path for part in components(Graph(ordered).vertices) for vertex in part if vertex.definitions]
    return replace(ordered, order=tuple(dict.fromkeys(found)))


def check_case(name: str, find: Callable[[Program], list[PolicyError]]) -> tuple[list[str], list[str]]:
    """What a stage tells of a case, and what the case wants."""
    text = (CASES / name).read_text(encoding="utf-8")
    wanted = settings(text)
    schemas = wanted.get("schemas")
    by_path = (
        {tuple(filter(None, key.split("/"))): one for key, one in schemas.items()}
        if isinstance(schemas, dict)
        else None
    )
    version, strict = int(str(wanted.get("rego", 1))), wanted.get("strict") is True
    program = program_of(text, schemas=by_path, rego_version=version, strict=strict)
    return told(find(program)), expected(text)
