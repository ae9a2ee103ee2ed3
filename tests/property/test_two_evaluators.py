"""Generated code and the interpreter agree, with the passes and without them, errors included."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from evaluators import EVALUATORS, Course, Failure, course, plans, result
from policy_strategies.policies import Policy, policies
from procurator.engine import Engine
from procurator.limits import Limits
from procurator.prepared import Prepared
from procurator.query import CompiledQuery
from procurator.values import UNDEFINED, Value
from procurator_rules.errors import PolicyError

FIXED = settings(
    max_examples=80,
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
FEW = settings(FIXED, max_examples=30)


def engine_for(policy: Policy, **options: Any) -> Engine:
    """An engine over a policy; the few that do not pass the checks are left out."""
    sources = {f"m{number}.rego": text for number, text in enumerate(policy.modules)}
    try:
        return Engine.from_sources(sources, policy.data, **options)
    except PolicyError:
        assume(False)
        raise


def compiled(engine: Engine, policy: Policy) -> list[dict[str, CompiledQuery]]:
    """The queries of a policy that pass the checks, without the passes and with them."""
    found = []
    for query in policy.queries:
        try:
            found.append(dict(plans(engine, query)))
        except PolicyError:
            continue
    return found


def told(one: Course) -> Course:
    """A course without the rules that held before an error: which did is for the order of evaluation to say."""
    return Course(one.result, frozenset(), one.printed) if isinstance(one.result, Failure) else one


@FIXED
@given(policies(), st.booleans())
def test_every_way_of_evaluating_gives_the_same(policy: Policy, strict: bool) -> None:
    """Rows, errors with their places and what is printed are the same; for one plan, so are the rules that held."""
    engine = engine_for(policy, strict_builtin_errors=strict)
    for query in compiled(engine, policy):
        for document in policy.inputs:
            courses = {
                name: [told(course(evaluate, plan, document)) for evaluate in EVALUATORS.values()]
                for name, plan in query.items()
            }
            for code, interpreted in courses.values():
                assert code == interpreted
                assert not (isinstance(code.result, Failure) and code.result.is_crash)
            assert courses["plain"][0].result == courses["optimised"][0].result


@FEW
@given(policies())
def test_prepared_terms_give_what_queries_give(policy: Policy) -> None:
    """The value of a rule is the same called directly, decided on, and asked for by a query."""
    engine = engine_for(policy)
    terms = [query.removeprefix("x = ") for query in policy.queries if query.startswith("x = ") and "[" not in query]
    for term in terms:
        try:
            prepared = engine.prepare(term)
        except PolicyError:
            continue
        by_query = engine.compiled(term, as_term=True)
        for document in policy.inputs:
            wanted = result(partial(by_query.rows, document))
            assert result(partial(_row, prepared, document)) == wanted
            assert result(partial(_row, partial(_decided, prepared), document)) == wanted


def _row(evaluate: Callable[[Value], Value], document: Value) -> list[list[Value]]:
    value = evaluate(document)
    return [] if value is UNDEFINED else [[value]]


def _decided(prepared: Prepared, document: Value) -> Value:
    return prepared.decide(document).value


@FEW
@given(policies(), st.integers(0, 12))
def test_limits_count_the_same_steps(policy: Policy, steps: int) -> None:
    """Generated code and the interpreter stop at the same limit, or not at all."""
    engine = engine_for(policy, limits=Limits(steps=steps))
    for query in compiled(engine, policy):
        for document in policy.inputs:
            for plan in query.values():
                code, interpreted = (course(evaluate, plan, document).result for evaluate in EVALUATORS.values())
                assert _without_place(code) == _without_place(interpreted)


def _without_place(outcome: Any) -> Any:
    return (outcome.code, outcome.message) if isinstance(outcome, Failure) else outcome
