"""What the policy says about an action: an object at the entry point, or rules that allow, deny and propose.

The entry point is a rule whose value is an object of `verdict`, `reason`, `message` and `obligations`; or, where no
such rule is, a package with `allow`, `deny contains` and `propose contains`, itself or the one the entry point lies in.
Deny beats propose, propose beats permit, and whatever is anything else is a deny.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Final, NamedTuple, TypeAlias

from procurator.compile.plan import RuleInfo
from procurator.engine import Engine
from procurator.governance.approvals.approvers import Approvers
from procurator.governance.decision import DENY
from procurator.governance.refusals import REASONS
from procurator.governance.steps.answers import (
    BESIDE,
    COMPENSATION,
    IRREVERSIBLE,
    USUAL,
    USUAL_MEMBERS,
    VERDICTS,
    InvalidOutputError,
    Said,
    of_object,
    of_rules,
)
from procurator.governance.strict_json import Json, canonical
from procurator.query import CompiledQuery
from procurator.runtime.context import Answer, Evaluation
from procurator.values import UNDEFINED, Set, Value, dumps, loads, value_of
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import Module, Ref, String, Var
from procurator_rules.parser import parse_ref
from procurator_rules.visitor import walk

Names: TypeAlias = tuple[str, ...]


class PolicyOutcome(NamedTuple):
    """What the policy says, and why.

    Attributes:
        verdict: `permit`, `deny`, `propose` or `dry_run`.
        reason: one of `REASONS`, or a code of the policy's own.
        message: a sentence for people: titles of the rules that decided, and what they say.
        obligations: objects, each with a `type`.
        value: what the entry point gave as a JSON value; None if nothing.
        rules: the rules that held, in order: `path`, `rule` (its number), `file`, `row`, `title` and `custom` of each;
            shared between decisions.
        path: the numbers of the rules in the order in which they held.
        nondeterministic: answers from outside by built-in and operands, as OPA logs them; for `decide` to replay.
        approvers: who may approve the action.
        needs_approval: whether the action cannot be undone and no command makes up for it.
    """

    verdict: str
    reason: str
    message: str
    obligations: tuple[dict[str, Json], ...]
    value: Json
    rules: tuple[dict[str, Json], ...]
    path: tuple[int, ...]
    nondeterministic: dict[str, dict[str, Json]]
    approvers: Approvers = Approvers()
    needs_approval: bool = False


class PolicyStep:
    """Policies ready to be asked about actions; threads may share it.

    Attributes:
        is_defined: whether a rule stands at the entry point; where none does, all is denied.
        reads_history: whether the policies look at `input.history`, which is kept only for those that do.
        reads_budget: whether they look at `input.budget`.
        reads_reasoning: whether they look at `input.reasoning`.
    """

    def __init__(self, engine: Engine, entrypoint: str = "data.procurator.decision") -> None:
        """Find the rules of an entry point and compile them.

        Raises:
            PolicyError: the entry point is no reference to data, or is a function.
        """
        entry = _names(entrypoint)
        rules = engine.compiled("null", as_term=True).made.rules
        package, given = _package(entry, rules)
        self._answer: Callable[[Value], Json] = _rules_answer if given else _object_answer
        self._form: Callable[[Json], Said] = of_rules if given else of_object
        self._query: CompiledQuery = engine.compiled(_asked(package, given) if given else _reference(entry), True)
        self._options = engine.environment.options
        self._print_to = engine.environment.print_to
        deciding = (
            {verdict: _numbers(rules, (*package, name)) for name, verdict in VERDICTS.items()}
            if given
            else dict.fromkeys(USUAL, _numbers(rules, entry))
        )
        self.is_defined = any(deciding.values())
        self.reads_history = _reads(engine.checked.modules.values(), "history")
        self.reads_budget = _reads(engine.checked.modules.values(), "budget")
        self.reads_reasoning = _reads(engine.checked.modules.values(), "reasoning")
        self._held = lru_cache(_KEPT)(partial(Held, rules, deciding))

    def decide(
        self,
        document: Value,
        *,
        now_ns: int | None = None,
        replayed: Mapping[str, Mapping[str, Json]] | None = None,
    ) -> PolicyOutcome:
        """What the policy says about an input document; nothing is raised.

        Args:
            document: the input.
            now_ns: the instant that policies are told, in nanoseconds since 1970; the clock is read without it.
            replayed: answers from outside that an earlier outcome recorded.
        """
        evaluation = Evaluation(self._options, now_ns=now_ns, print_to=self._print_to)
        if replayed:
            evaluation.memo.update(Evaluation.replay(_answers(replayed)).memo)
        trace: list[int] = []
        try:
            rows = self._query.rows(document, evaluation, trace)
        except PolicyError as error:
            said, value = Said(DENY, "policy_error", (_failure(error),)), None
        else:
            said, value = self._read(rows[0][0] if rows else UNDEFINED)
        return self._outcome(said, value, trace, evaluation)

    def _read(self, value: Value) -> tuple[Said, Json]:
        if value is UNDEFINED:
            return Said(DENY, "default_deny"), None
        answer = None
        try:
            answer = self._answer(value)
            return self._form(answer), answer
        except InvalidOutputError as error:
            return Said(DENY, "policy_output_invalid", (f"what the policy answers {error}",)), answer

    def _outcome(self, said: Said, value: Json, trace: list[int], evaluation: Evaluation) -> PolicyOutcome:
        verdict, reason, texts, obligations, approvers, irreversible, compensation = said
        path = tuple(trace)
        held = self._held(path)
        if reason in _OWN:
            message = "; ".join(texts) or REASONS[reason]
        else:
            reason, message = held.usual(verdict) if reason is None and not texts else held.words(said)
        logged = _logged(evaluation.answers) if evaluation.answers else {}
        needs_approval = (irreversible or held.irreversible) and compensation is None
        return PolicyOutcome(
            verdict, reason, message, obligations, value, held.rules, path, logged, approvers, needs_approval
        )


class Held:
    """The rules that held along a path, and the words that their annotations have for a verdict.

    Attributes:
        irreversible: whether one is annotated so, without a command that makes up for what it allows.
    """

    def __init__(self, rules: Sequence[RuleInfo], deciding: Mapping[str, frozenset[int]], path: Sequence[int]) -> None:
        held = [rules[number] for number in dict.fromkeys(path)]
        self.rules = tuple(_record(rule) for rule in held)
        self._held = held
        self._deciding = deciding
        self._usual: dict[str, tuple[str, str]] = {}
        self.irreversible = any(_is_irreversible(rule.custom or {}) for rule in held)

    def usual(self, verdict: str) -> tuple[str, str]:
        """Reason and message of a verdict of which the policy itself says no more."""
        if verdict not in self._usual:
            self._usual[verdict] = self.words(Said(verdict))
        return self._usual[verdict]

    def words(self, said: Said) -> tuple[str, str]:
        """Reason and message: what the policy says itself, and what the annotations of the rules that decided say."""
        deciding = [rule for rule in self._held if rule.number in self._deciding[said.verdict]]
        reason = said.reason or next(_customs("reason", deciding), USUAL[said.verdict])
        titles = "; ".join(dict.fromkeys(rule.title for rule in deciding if rule.title))
        texts = "; ".join(said.texts or dict.fromkeys(_customs("message", deciding)))
        parts = dict.fromkeys(part for part in (titles, texts) if part)
        return reason, ": ".join(parts) or REASONS.get(reason, reason)


def _customs(name: str, deciding: Iterable[RuleInfo]) -> Iterator[str]:
    for rule in deciding:
        text = (rule.custom or {}).get(name)
        if isinstance(text, str) and text:
            yield text


def _is_irreversible(custom: Mapping[str, Json]) -> bool:
    """Anything but a plain no is a yes: what is meant to say so must not be missed for how it says it."""
    compensation = custom.get(COMPENSATION)
    return custom.get(IRREVERSIBLE, False) is not False and not (isinstance(compensation, str) and compensation)


def _record(rule: RuleInfo) -> dict[str, Json]:
    return {
        "path": rule.path,
        "rule": rule.number,
        "file": rule.file,
        "row": rule.row,
        "title": rule.title,
        "custom": None if rule.custom is None else dict(rule.custom),
    }


_KEPT: Final = 4096
"""Paths of which the words are kept."""

_OWN: Final = frozenset({"default_deny", "policy_error", "policy_output_invalid"})
"""Reasons that are the step's own words; no rule stands behind them."""


# The entry point


def _names(entrypoint: str) -> Names:
    root, *keys = parse_ref(entrypoint).terms
    names = [key.value for key in keys if isinstance(key, String)]
    if not isinstance(root, Var) or root.name != "data" or len(names) != len(keys) or not names:
        hint = "name a rule or a package, such as `data.procurator.decision`"
        raise PolicyError(COMPILE, f"`{entrypoint}` is no entry point", hint=hint)
    return tuple(names)


def _package(entry: Names, rules: Sequence[RuleInfo]) -> tuple[Names, frozenset[str]]:
    """The package whose rules decide and which of them it has; none where a rule stands at the entry point."""
    paths = [rule.path for rule in rules]
    if not any(_is_at(path, (*entry, name)) for path in paths for name in USUAL_MEMBERS) and _path(entry) not in paths:
        for package in (entry, entry[:-1]):
            given = _given(VERDICTS, package, paths)
            if given:
                return package, given | _given(BESIDE, package, paths)
    return entry, frozenset()


def _given(names: Iterable[str], package: Names, paths: Sequence[str]) -> frozenset[str]:
    return frozenset(name for name in names if any(_is_at(path, (*package, name)) for path in paths))


def _path(names: Names) -> str:
    return ".".join(("data", *names))


def _is_at(path: str, names: Names) -> bool:
    """Whether a rule is named so, or makes a part of what is named so."""
    wanted = _path(names)
    return path == wanted or path.startswith(f"{wanted}.")


def _numbers(rules: Sequence[RuleInfo], names: Names) -> frozenset[int]:
    return frozenset(rule.number for rule in rules if _is_at(rule.path, names))


def _reference(names: Names) -> str:
    return "data" + "".join(f"[{dumps(name)}]" for name in names)


def _asked(package: Names, given: Iterable[str]) -> str:
    """A term with what the rules give, asked together: they see one clock; what is undefined is an empty array."""
    parts = [f'"{name}": [x | x := {_reference((*package, name))}]' for name in sorted(given)]
    return f"{{{', '.join(parts)}}}"


def _reads(modules: Iterable[Module], member: str) -> bool:
    """Whether policies look at a member of the input, or at so much of it that they may."""
    members: set[str | None] = set()
    for module in modules:
        for rule in module.rules:
            known = {id(node.terms[0]): _member_of(node) for node in walk(rule) if isinstance(node, Ref)}
            found = (node for node in walk(rule) if isinstance(node, Var) and node.name == "input")
            members |= {known.get(id(node)) for node in found}
    return member in members or None in members


def _member_of(ref: Ref) -> str | None:
    key = ref.terms[1] if len(ref.terms) > 1 else None
    return key.value if isinstance(key, String) else None


# Answers


def _failure(error: PolicyError) -> str:
    """Code and place: the message may hold what the input holds."""
    place = f" at {error.location}" if error.location and error.location.file else ""
    return f"evaluation ended with `{error.code}`{place}"


def _logged(answers: Iterable[Answer]) -> dict[str, dict[str, Json]]:
    logged: dict[str, dict[str, Json]] = {}
    for answer in answers:
        logged.setdefault(answer.name, {})[canonical(list(answer.operands))] = answer.result
    return logged


def _answers(logged: Mapping[str, Mapping[str, Json]]) -> Iterable[Answer]:
    for name, results in logged.items():
        for operands, result in results.items():
            yield Answer(name, tuple(loads(operands)), result)


def _object_answer(value: Value) -> Json:
    try:
        return _plain(value)
    except RecursionError:
        raise InvalidOutputError("is nested too deeply") from None


def _rules_answer(value: dict[str, list[Value]]) -> dict[str, Json]:
    """What the rules that are defined give, by their names."""
    return {name: _object_answer(found[0]) for name, found in value.items() if found}


_SIMPLE: Final = frozenset({str, bool, int, float, Decimal, type(None)})


def _plain(value: Value) -> Json:
    """A Rego value as a JSON value of its own: sets become arrays in Rego's order, and all names are strings."""
    if type(value) in _SIMPLE:
        return value
    if isinstance(value, dict):
        return {
            key if type(key) is str else dumps(value_of(key)): member if type(member) in _SIMPLE else _plain(member)
            for key, member in value.items()
        }
    return [_plain(member) for member in value] if isinstance(value, list | Set) else value
