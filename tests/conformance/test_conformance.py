"""OPA's own evaluation cases, through generated code and through the interpreter.

A case passes when it ends in the error it wants, or gives the set of bindings it wants. Numbers compare by value, sets
are arrays in Rego's order; where a case sorts its bindings, arrays compare without regard to order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evaluators import EVALUATORS
from procurator.engine import Engine
from procurator.query import CompiledQuery
from procurator.values import UNDEFINED, Key, Value, dumps, key_of, loads
from procurator_rules.errors import PolicyError

BESIDE = Path(__file__).parents[3] / "shared/conformance/open.jsonl"
CASES = Path(os.environ.get("PROCURATOR_CASES", BESIDE))

Case = Mapping[str, Any]


@cache
def folders() -> Mapping[str, Sequence[Case]]:
    """The cases by folder; none where there is no file."""
    found: dict[str, list[Case]] = {}
    if CASES.is_file():
        for line in filter(None, CASES.read_text(encoding="utf-8").splitlines()):
            case = loads(line)
            found.setdefault(case["folder"], []).append(case)
    return found


def compiled(case: Case) -> tuple[CompiledQuery, Value]:
    """The query of a case, and its input."""
    sources = {f"test-{number}.rego": text for number, text in enumerate(case.get("modules") or ())}
    engine = Engine.from_sources(
        sources,
        case.get("data") or {},
        rego_version=case.get("rego_version", 1),
        strict_builtin_errors=bool(case.get("strict_error")),
        builtins={"test.sleep": lambda _duration: None},
    )
    document = engine.eval(case["input_term"]) if "input_term" in case else case.get("input", UNDEFINED)
    return engine.compiled(case["query"]), document


def bindings(rows: Iterable[Mapping[str, Value]], bags: bool) -> frozenset[Key]:
    """Rows as a set, without the variables that have no name."""
    return frozenset(
        key_of([[name, bag(value) if bags else value] for name, value in sorted(row.items()) if name[0] not in "_$"])
        for row in rows
    )


def bag(value: Value) -> Value:
    """A value that is equal to others with the same elements in another order."""
    return sorted(value, key=dumps) if isinstance(value, list) else value


def judged(case: Case, evaluator: str) -> str:
    """What is wrong with the outcome of a case; empty when nothing is."""
    bags = bool(case.get("sort_bindings"))
    try:
        query, document = compiled(case)
        names = [name for name, _ in query.program.outputs]
        rows = [dict(zip(names, row, strict=True)) for row in EVALUATORS[evaluator](query, document, [])]
        found = bindings(loads(dumps(rows)), bags)
    except PolicyError as error:
        if "want_error" not in case and "want_error_code" not in case:
            return f"unexpected {error.headline}"
        code = case.get("want_error_code", error.code)
        return "" if error.code == code else f"error {error.code}, wanted {code}"
    if "want_error" in case or "want_error_code" in case:
        return f"no error, wanted {case.get('want_error_code') or case['want_error']}"
    wanted = case.get("want_result") or []
    return "" if found == bindings(wanted, bags) else f"{dumps(rows)}, wanted {dumps(wanted)}"


@pytest.mark.skipif(not folders(), reason=f"no cases in {CASES}; PROCURATOR_CASES names another file of them")
@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("folder", folders() or ["none"])
def test_cases_end_as_they_do_in_opa(folder: str, evaluator: str) -> None:
    """All cases of a folder."""
    wrong = {case["id"]: reason for case in folders()[folder] if (reason := judged(case, evaluator))}
    assert wrong == {}
