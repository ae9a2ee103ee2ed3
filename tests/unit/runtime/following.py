"""Evaluations of one policy that are followed step by step."""

from __future__ import annotations

from typing import Any

from procurator.builtins import registry
from procurator.engine import Engine, variables_of
from procurator.environment import Environment, Row
from procurator.runtime.context import Evaluation
from procurator.runtime.interpreter import interpret
from procurator.runtime.pieces import pieces_of, pieces_of_query
from procurator.runtime.trace import Recorder
from procurator_rules.checks import check, check_query
from procurator_rules.parser import parse_module, parse_query


class Followed:
    """A query over the policy `p.rego`.

    Attributes:
        body: the query as it was asked.
        pieces: those of the policy.
        program: the plan.
    """

    def __init__(self, policy: str, query: str) -> None:
        module = parse_module(policy, "p.rego")
        environment = Environment({}, registry.Functions({}), registry.CONTEXTUAL, print_to=lambda _text, _span: None)
        self.engine = Engine(check({"p.rego": module}), environment)
        self.body = parse_query(query)
        self.pieces = pieces_of(module)
        checked = check_query(self.body, self.engine.checked)
        self.program = self.engine.plan(checked, variables_of(checked.body))

    @property
    def all_pieces(self) -> list[Any]:
        """The pieces of the query and of the policy."""
        return [*pieces_of_query(self.body), *self.pieces]

    def run(self, document: Any, record: Recorder, note: Any = None) -> list[Row]:
        """Evaluate the query for an input."""
        evaluation = Evaluation(print_to=lambda _text, _span: None, note=note)
        return interpret(self.program, self.engine.environment, document, evaluation=evaluation, record=record)
