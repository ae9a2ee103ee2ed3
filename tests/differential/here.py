"""The answers of this product."""

from __future__ import annotations

from collections.abc import Sequence

from differential.answers import Answer, Failed, Question, Refused, Rows, file_name
from policy_strategies.policies import Policy
from procurator.engine import Engine
from procurator_rules.errors import PolicyError, PolicyErrors

CRASH = "crash"


class Here:
    """This product."""

    name = "procurator"
    tells_codes = True

    def answers(self, policies: Sequence[Policy], asked: Sequence[Question]) -> list[Answer]:
        """The answers to questions about policies."""
        engines: dict[tuple[int, bool], Engine | Refused] = {}
        found: list[Answer] = []
        for question in asked:
            key = (question.number, question.strict)
            if key not in engines:
                engines[key] = _engine(policies[question.number], *key)
            engine = engines[key]
            found.append(engine if isinstance(engine, Refused) else _answer(engine, question))
        return found


def _engine(policy: Policy, number: int, strict: bool) -> Engine | Refused:
    sources = {file_name(number, place): text for place, text in enumerate(policy.modules)}
    try:
        return Engine.from_sources(sources, policy.data, strict_builtin_errors=strict)
    except PolicyError as error:
        return _refused(error)
    except Exception as error:  # a crash is a difference too
        return Refused(((CRASH, repr(error), ""),))


def _refused(error: PolicyError) -> Refused:
    errors = error.errors if isinstance(error, PolicyErrors) else (error,)
    return Refused(tuple(sorted((one.code, one.message, _place(one)) for one in errors)))


def _place(error: PolicyError) -> str:
    at = error.location
    return f"{at.file}:{at.row}:{at.column}" if at else ""


def _answer(engine: Engine, question: Question) -> Answer:
    try:
        engine.compiled(question.query)
    except PolicyError as error:
        return _refused(error)
    except Exception as error:  # a crash is a difference too
        return Refused(((CRASH, repr(error), ""),))
    try:
        return Rows.of(engine.query(question.query, question.document))
    except PolicyError as error:
        return Failed(error.code, error.message, _place(error))
    except Exception as error:  # a crash is a difference too
        return Failed(CRASH, repr(error), "")
