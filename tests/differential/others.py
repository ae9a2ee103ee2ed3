"""The answers of engines that are Python packages, where they are installed: regorus and rego-cpp."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any

from differential.answers import Answer, Failed, Question, Rows, file_name
from policy_strategies.policies import Policy
from procurator.values import dumps, loads

Ask = Callable[[Policy, Question], Iterable[Mapping[str, Any]]]


SECONDS = 20
STRICT = frozenset({"regorus"})
"""Engines in which errors of built-ins always end the evaluation."""
NEWER = ("import rego.v2", '$"')
"""What OPA has learnt since these engines last followed it."""


class Package:
    """An engine that is a Python package, in a process of its own; its errors have no codes."""

    tells_codes = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = _process()

    def takes(self, policy: Policy, question: Question) -> bool:
        """Whether a policy keeps to the language that the engine knows, and errors of built-ins do what it does."""
        known = not any(mark in text for mark in NEWER for text in policy.modules)
        return known and (question.strict or self.name not in STRICT)

    def answers(self, policies: Sequence[Policy], asked: Sequence[Question]) -> list[Answer]:
        """The answers to questions about policies."""
        return [self._answer(policies[question.number], question) for question in asked]

    def _answer(self, policy: Policy, question: Question) -> Answer:
        try:
            return self._process.submit(answer, self.name, policy, question).result(SECONDS)
        except (BrokenProcessPool, TimeoutError) as error:
            self._process.shutdown(wait=False, cancel_futures=True)
            self._process = _process()
            return Failed("", f"the engine crashed or took too long: {type(error).__name__}", "")


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))


def answer(name: str, policy: Policy, question: Question) -> Answer:
    """The answer of a package, asked for in this process."""
    try:
        return Rows.of(PACKAGES[name](policy, question))
    except Exception as error:  # each has errors of its own
        return Failed("", str(error), "")


def _ask_regorus(policy: Policy, question: Question) -> Iterable[Mapping[str, Any]]:
    engine = import_module("regorus").Engine()
    for place, text in enumerate(policy.modules):
        engine.add_policy(file_name(question.number, place), text)
    engine.add_data_json(dumps(policy.data))
    engine.set_input_json(dumps(question.document))
    answer = loads(engine.eval_query_as_json(question.query))
    return [row["bindings"] for row in answer["result"]]


def _ask_rego_cpp(policy: Policy, question: Question) -> Iterable[Mapping[str, Any]]:
    engine = import_module("regopy").Interpreter()
    engine.strict_built_in_errors = question.strict
    for place, text in enumerate(policy.modules):
        engine.add_module(file_name(question.number, place), text)
    engine.add_data_json(dumps(policy.data))
    engine.set_input_term(dumps(question.document))
    text = str(engine.query(question.query))
    if text == "undefined":
        return []
    if not text.startswith(("{", "[")):
        raise ValueError(text)
    answer = loads(text)
    results = answer.get("result", [answer]) if isinstance(answer, dict) else answer
    return [row.get("bindings", {}) for row in results]


PACKAGES: Mapping[str, Ask] = {"regorus": _ask_regorus, "regopy": _ask_rego_cpp}


def installed() -> list[Package]:
    """The packages that can be imported."""
    return [Package(name) for name in PACKAGES if find_spec(name) is not None]
