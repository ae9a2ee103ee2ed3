"""The engine: policies and data, ready to answer queries."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from procurator.builtins import registry
from procurator.cache import Cache
from procurator.compile.bounds import bounded_nesting
from procurator.compile.build import Builder
from procurator.compile.passes import optimised
from procurator.compile.plan import Program
from procurator.data.signatures import Verification
from procurator.environment import Environment
from procurator.limits import Limits
from procurator.loading import load_policies
from procurator.metadata import metadata_chain
from procurator.prepared import Prepared, prepared
from procurator.query import CompiledQuery, FromProgram, Made, only
from procurator.runtime.calls import OnError, ignore_error, raise_error
from procurator.runtime.context import NOTHING_ALLOWED, Options
from procurator.stored import Shelf
from procurator.texts import PolicyText, PolicyTexts
from procurator.values import UNDEFINED, Value
from procurator_rules import capabilities as caps
from procurator_rules.bodies import is_plain
from procurator_rules.checks import Checked, CheckedQuery, check_query
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import operator_ref
from procurator_rules.nodes import Body, Call, Comprehension, Expr, TemplateString, Var
from procurator_rules.parser import parse_query
from procurator_rules.visitor import children, walk

RESULT: Final = "result"
"""The variable that holds the value of a term."""

QUERIES_KEPT: Final = 512
"""Compiled queries an engine keeps; the oldest goes first."""


@dataclass(frozen=True)
class Engine:
    """Checked policies over one set of base documents; immutable, and safe to share between threads.

    Made by `from_sources` or `from_paths`.
    """

    policies: Checked | PolicyTexts
    environment: Environment
    shelf: Shelf | None = field(default=None, repr=False)

    @classmethod
    def from_sources(
        cls,
        sources: Mapping[str, str],
        data: Mapping[str, Value] | None = None,
        *,
        rego_version: int = 1,
        strict_builtin_errors: bool = False,
        builtins: Mapping[str, Callable[..., Value]] | None = None,
        capabilities: caps.Capabilities | Mapping[str, object] | str | None = None,
        limits: Limits | None = None,
        options: Options = NOTHING_ALLOWED,
        strict: bool = False,
        print_to: Callable[..., None] | None = None,
        cache: Cache | str | Path | None = None,
    ) -> Engine:
        """An engine over policy texts by file name.

        Args:
            sources: the texts; names serve in messages.
            data: the base documents, as one object.
            rego_version: 0 or 1, of texts that do not import `rego.v1` or `rego.v2`.
            strict_builtin_errors: whether an error of a built-in ends a query instead of being undefined.
            builtins: functions of your own by name, called with Rego values; `UNDEFINED` or a ValueError means what a
                built-in's error means.
            capabilities: what policies may use, in OPA's JSON format.
            limits: what one evaluation may take.
            options: what policies may reach outside of their input and data.
            strict: whether unused variables, arguments and imports are errors.
            print_to: where `print` writes; without it `print` does nothing.
            cache: a folder that keeps compiled code: what it has needs no parsing and no checking.

        Raises:
            PolicyError: a policy is wrong; PolicyErrors when several mistakes were found.
        """
        own = dict(builtins or {})
        known = _known(capabilities, rego_version, own)
        texts = {name: PolicyText(text, name, rego_version, known) for name, text in sources.items()}
        on_error = raise_error if strict_builtin_errors else ignore_error
        environment = _environment(data or {}, own, options, limits, on_error, print_to)
        return cls._ready(PolicyTexts(texts, known, strict), environment, cache)

    @classmethod
    def from_paths(
        cls,
        *paths: str | Path,
        data: Mapping[str, Value] | None = None,
        bundles: Iterable[str | Path] = (),
        ignore: Sequence[str] = (),
        verification: Verification | None = None,
        skip_verification: bool = False,
        rego_version: int = 1,
        strict_builtin_errors: bool = False,
        builtins: Mapping[str, Callable[..., Value]] | None = None,
        capabilities: caps.Capabilities | Mapping[str, object] | str | None = None,
        limits: Limits | None = None,
        options: Options = NOTHING_ALLOWED,
        strict: bool = False,
        print_to: Callable[..., None] | None = None,
        cache: Cache | str | Path | None = None,
    ) -> Engine:
        """An engine over policies and documents in files, folders and bundles.

        Args:
            paths: `.rego`, `.json` and `.yaml` files, archives that are bundles, and folders of all these. The content
                of `x/y/z.json` below a folder that is named stands under `data.x.y`, and that of `a.b:z.json` under
                `data.a.b`.
            data: more base documents.
            bundles: archives and folders that are loaded as bundles: only files named `data.json` or `data.yaml` are
                documents, and the data replaces what else stands below the roots of the bundle.
            ignore: patterns of names of files and folders to leave out below the paths, such as `*_test.rego`.
            verification: the keys that signatures of bundles are checked with; a bundle without a signature is refused
                then, as is a signed bundle without keys.
            skip_verification: whether signatures are left unchecked.
            rego_version: 0 or 1, of policies that do not say so, and whose bundle does not.
            strict_builtin_errors: as for `from_sources`, like the arguments that follow.
            builtins: functions of your own.
            capabilities: what policies may use.
            limits: what one evaluation may take.
            options: what policies may reach.
            strict: whether to be strict.
            print_to: where `print` writes.
            cache: a folder that keeps compiled code; policies in bundles are parsed all the same.

        Raises:
            PolicyError: something cannot be read, a policy is wrong, or a rule stands where a base document does;
                PolicyErrors when several mistakes were found.
        """
        own = dict(builtins or {})
        known = _known(capabilities, rego_version, own)
        found = load_policies(
            paths,
            lambda text, name, version: PolicyText(text, name, version, known),
            bundles=bundles,
            ignore=ignore,
            rego_version=rego_version,
            verification=verification,
            skip_verification=skip_verification,
        )
        found.add(data or {}, "data")
        on_error = raise_error if strict_builtin_errors else ignore_error
        environment = _environment(found.data, own, options, limits, on_error, print_to)
        return cls._ready(PolicyTexts(found.modules, known, strict, found.holds), environment, cache)

    @classmethod
    def _ready(cls, policies: PolicyTexts, environment: Environment, cache: Cache | str | Path | None) -> Engine:
        """An engine over policies that are in order: they have just been checked, or the cache knows them."""
        if cache is None:
            return cls(policies.checked, environment)
        shelf = Shelf(cache if isinstance(cache, Cache) else Cache(cache), policies)
        engine = cls(policies, environment, shelf)
        if shelf.rules is None:
            shelf.keep_rules(engine._builder.rules)
        return engine

    @property
    def checked(self) -> Checked:
        """The policies as the checks leave them."""
        return self.policies.checked if isinstance(self.policies, PolicyTexts) else self.policies

    @cached_property
    def _builder(self) -> Builder:
        modules = self.checked.modules
        return Builder(modules.values(), self.checked.options.capabilities, metadata_chain(modules))

    @cached_property
    def _queries(self) -> dict[tuple[str, bool], CompiledQuery]:
        return {}

    @cached_property
    def _lock(self) -> threading.Lock:
        return threading.Lock()

    def with_data(self, data: Mapping[str, Value]) -> Engine:
        """An engine over other base documents that shares all compiled code; this one stays as it is."""
        environment = replace(self.environment, data=dict(data))
        other = Engine(self.policies, environment, self.shelf)
        with self._lock:
            queries = {key: query.rebound(environment) for key, query in self._queries.items()}
        other.__dict__.update(_queries=queries)
        if "_builder" in self.__dict__:
            other.__dict__.update(_builder=self._builder)
        return other

    def query(self, query: str, input: Value = UNDEFINED) -> list[dict[str, Value]]:  # noqa: A002  # the name of the document
        """All ways in which a query holds, each as the values of its variables.

        Args:
            query: lines of a body, such as `data.app.allow = x`.
            input: the input document; `input` is undefined without it.

        Raises:
            PolicyError: the query is wrong, or the evaluation fails.
        """
        compiled = self.compiled(query)
        return [dict(zip(compiled.made.outputs, row, strict=True)) for row in compiled.rows(input)]

    def eval(self, term: str, input: Value = UNDEFINED) -> Value:  # noqa: A002
        """The value of a term without variables, or UNDEFINED.

        Raises:
            PolicyError: the term is wrong, the evaluation fails, or a relation such as `walk` gives several values.
        """
        return only(self.compiled(term, as_term=True).rows(input))

    def prepare(self, term: str) -> Prepared:
        """A term compiled once: `prepared(input)` gives its value, `prepared.decide(input)` the value and its trace."""
        return prepared(self.compiled(term, as_term=True))

    def compiled(self, text: str, as_term: bool = False) -> CompiledQuery:
        """The compiled form of a query, or of a term whose value is wanted."""
        key = (text, as_term)
        found = self._queries.get(key)
        if found is None:
            found = CompiledQuery(self._made(text, as_term), self.environment)
            with self._lock:
                while len(self._queries) >= QUERIES_KEPT:
                    del self._queries[next(iter(self._queries))]
                self._queries[key] = found
        return found

    def _made(self, text: str, as_term: bool) -> Made:
        program = partial(self._program, text, as_term)
        made = (
            FromProgram(program())
            if self.shelf is None
            else self.shelf.query(text, as_term, self.environment.strict, program)
        )
        if len(made.outputs) > 1 and as_term:
            raise _not_a_term(text)
        return made

    def _program(self, text: str, as_term: bool) -> Program:
        with bounded_nesting():
            body = parse_query(text, capabilities=self.checked.options.capabilities)
            query = check_query(_valued(body, text) if as_term else body, self.checked)
            return optimised(self.plan(query, variables_of(query.body)), strict=self.environment.strict)

    def plan(self, query: CheckedQuery, outputs: Mapping[str, str]) -> Program:
        """The plan of a checked query before any pass, for tools that follow an evaluation step by step.

        Args:
            query: the query.
            outputs: the variables whose values are wanted, and the names to give them by.
        """
        return self._builder.program(query.body, outputs)


def variables_of(body: Body) -> dict[str, str]:
    """The variables of a checked query by the names they have there, with the names they were given."""
    found = (node.name for expr in body for node in walk(expr) if isinstance(node, Var))
    return {name: name.partition("#")[0] for name in found if not name.startswith("$") and name not in _ROOTS}


_ROOTS: Final = frozenset({"data", "input"})


def _valued(body: Body, text: str) -> Body:
    """`result = term` from a query that is a single term."""
    if len(body) != 1 or not is_plain(body[0]):
        raise _not_a_term(text)
    term = body[0].term
    if _has_wildcard(term):
        raise _not_a_term(text)
    call = Call(operator_ref("eq", term.span), (Var(RESULT, span=term.span), term), infix=True, span=term.span)  # type: ignore[arg-type]
    return (Expr(call, span=term.span),)


def _has_wildcard(term: Any) -> bool:
    """Whether `_` stands for something in a term, other than in what is a scope of its own."""
    if isinstance(term, Var):
        return term.name.startswith("$")
    return not isinstance(term, Comprehension | TemplateString) and any(map(_has_wildcard, children(term)))


def _not_a_term(text: str) -> PolicyError:
    hint = "use `query` for anything but a single term"
    return PolicyError(PARSE, f"expected one term without variables, found `{text}`", hint=hint)


def _known(given: Any, rego_version: int, own: Mapping[str, Callable[..., Value]]) -> caps.Capabilities:
    """What policies may use: the capabilities given, or all there are, and a user's own functions."""
    if given is None:
        given = caps.DEFAULT if rego_version >= 1 else caps.DEFAULT_V0
    known = given if isinstance(given, caps.Capabilities) else caps.load(given)
    return known.with_functions({name: _arity(name, function) for name, function in own.items()}) if own else known


def _environment(
    data: Mapping[str, Value],
    own: Mapping[str, Callable[..., Value]],
    options: Options,
    limits: Limits | None,
    on_error: OnError,
    print_to: Callable[..., None] | None,
) -> Environment:
    functions = registry.Functions(own)
    once = registry.ONCE.union(own)
    return Environment(dict(data), functions, registry.CONTEXTUAL, options, limits, on_error, print_to, once)


def _arity(name: str, function: Callable[..., Value]) -> int:
    """The number of operands of a user's function, from its signature."""
    parameters = inspect.signature(function).parameters.values()
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    if any(parameter.kind not in kinds for parameter in parameters):
        raise TypeError(f"built-in `{name}`: a function with a fixed number of positional parameters is needed")
    return len(parameters)
