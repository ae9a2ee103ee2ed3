"""What a query of `procurator eval` is asked of: policies and data, checked, and the names the query is read with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace

from procurator.builtins import registry
from procurator.cli.answers import Question, ask
from procurator.cli.eval_flags import Flags
from procurator.cli.schemas import load_schemas
from procurator.engine import Engine
from procurator.environment import Environment
from procurator.limits import Limits
from procurator.loading import Policies, load_policies
from procurator.metrics import (
    LOAD_BUNDLES,
    LOAD_FILES,
    MODULE_COMPILE,
    MODULE_PARSE,
    QUERY_COMPILE,
    QUERY_PARSE,
    Metrics,
)
from procurator.runtime.calls import OnError
from procurator.runtime.context import Options
from procurator.values import Value
from procurator_rules.capabilities import Capabilities
from procurator_rules.checks import CheckOptions, check
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.nodes import Import, Module, Package
from procurator_rules.parser import parse_module, parse_query
from procurator_rules.spans import Span


@dataclass(frozen=True)
class Setup:
    """A query over policies, ready to be compiled.

    Attributes:
        modules: the policies as they were parsed.
    """

    question: Question
    engine: Engine
    modules: Mapping[str, Module]


@dataclass(frozen=True)
class Reader:
    """Loads and checks what the command line names.

    Attributes:
        capabilities: what policies may use.
        metrics: takes the times.
        on_error: what is done with errors of built-ins.
    """

    flags: Flags
    capabilities: Capabilities
    metrics: Metrics
    on_error: OnError

    def setup(self, query: str) -> Setup:
        """Everything for a query.

        Raises:
            PolicyError: a policy, a document or the query is wrong; PolicyErrors for several mistakes.
        """
        found = self._policies()
        engine = self._engine(found)
        imports = tuple(one for text in self.flags.imports for one in self._imports(text))
        with self.metrics.timer(QUERY_PARSE):
            body = parse_query(query, "", self.flags.rego_version, self.capabilities, imports)
        with self.metrics.timer(QUERY_COMPILE):
            question = ask(body, engine, imports, self._package())
        return Setup(question, engine, found.modules)

    # Policies and data

    def _policies(self) -> Policies[Module]:
        flags = self.flags
        if not (flags.data or flags.bundle):
            return Policies()
        with self.metrics.timer(LOAD_FILES if flags.data else LOAD_BUNDLES):
            return load_policies(
                flags.data,
                self._parse,
                bundles=flags.bundle,
                ignore=flags.ignore,
                rego_version=flags.rego_version,
                skip_verification=True,
            )

    def _parse(self, text: str, name: str, version: int) -> Module:
        with self.metrics.timer(MODULE_PARSE):
            return parse_module(text, name, version, self.capabilities)

    def _engine(self, found: Policies[Module]) -> Engine:
        options = CheckOptions(
            strict=self.flags.strict,
            capabilities=self.capabilities,
            schemas=load_schemas(self.flags.schema),
            path_exists=found.holds,
        )
        with self.metrics.timer(MODULE_COMPILE) if found.modules else nullcontext():
            checked = check(found.modules, options)
        # What is strict of policies is not of queries, whose variables are there to be shown.
        lenient = replace(checked, options=replace(options, strict=False))
        return Engine(lenient, self._environment(found.data))

    def _environment(self, data: Mapping[str, Value]) -> Environment:
        flags = self.flags
        return Environment(
            data,
            registry.Functions({}),
            registry.CONTEXTUAL,
            Options(frozenset(flags.allow_host), runtime_env=flags.runtime_env),
            Limits(seconds=flags.timeout) if flags.timeout else None,
            self.on_error,
            print_line,
        )

    # The names in the query

    def _imports(self, text: str) -> tuple[Import, ...]:
        return self._header(f"package query\nimport {text}").imports

    def _package(self) -> Package | None:
        if self.flags.package is None:
            return None
        return self._header(f"package {self.flags.package}").package

    def _header(self, text: str) -> Module:
        try:
            module = parse_module(text, "", self.flags.rego_version, self.capabilities)
        except PolicyError as error:
            # The place would be one in a text that the user has not written.
            raise PolicyError(error.code, error.message, hint=error.hint) from None
        if module.rules:
            raise PolicyError(PARSE, "expected exactly one statement")
        return module


def print_line(text: str, _span: Span) -> None:
    """What `print` does: results are not mixed with it."""
    sys.stderr.write(f"{text}\n")
