"""The answers of engines that are Python packages, where they are installed: regorus and rego-cpp."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from differential.answers import Answer, Failed, Question, Rows, file_name
from policy_strategies.policies import Policy
from procurator.values import dumps, loads

Ask = Callable[[Policy, Question], Iterable[Mapping[str, Any]]]


class Package:
    """An engine that is a Python package; its errors have no codes."""

    tells_codes = False

    def __init__(self, name: str, ask: Ask) -> None:
        self.name = name
        self._ask = ask

    def answers(self, policies: Sequence[Policy], asked: Sequence[Question]) -> list[Answer]:
        """The answers to questions about policies."""
        return [self._answer(policies[question.number], question) for question in asked]

    def _answer(self, policy: Policy, question: Question) -> Answer:
        try:
            return Rows.of(self._ask(policy, question))
        except Exception as error:  # each has errors of its own
            return Failed("", str(error), "")


def _ask_regorus(policy: Policy, question: Question) -> Iterable[Mapping[str, Any]]:
    engine = import_module("regorus").Engine()
    for place, text in enumerate(policy.modules):
        engine.add_policy(file_name(question.number, place), text)
    engine.add_data_json(dumps(policy.data))
    engine.set_input_json(dumps(question.document))
    answer = loads(json.dumps(engine.eval_query(question.query)))
    return [row["bindings"] for row in answer["result"]]


def _ask_rego_cpp(policy: Policy, question: Question) -> Iterable[Mapping[str, Any]]:
    engine = import_module("regopy").Interpreter()
    engine.strict_built_in_errors = question.strict
    for place, text in enumerate(policy.modules):
        engine.add_module(file_name(question.number, place), text)
    engine.add_data_json(dumps(policy.data))
    engine.set_input_term(dumps(question.document))
    answer = loads(str(engine.query(question.query)))
    results = answer.get("result", [answer]) if isinstance(answer, dict) else answer
    return [row.get("bindings", {}) for row in results]


PACKAGES: Mapping[str, Ask] = {"regorus": _ask_regorus, "regopy": _ask_rego_cpp}


def installed() -> list[Package]:
    """The packages that can be imported."""
    return [Package(name, ask) for name, ask in PACKAGES.items() if find_spec(name) is not None]
