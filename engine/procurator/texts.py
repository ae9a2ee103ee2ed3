"""Policies as texts: parsed and checked when somebody needs more of them than a cache has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from procurator.compile.bounds import bounded_nesting
from procurator_rules.capabilities import Capabilities
from procurator_rules.checks import Checked, CheckOptions, check
from procurator_rules.errors import PolicyError, raise_all
from procurator_rules.nodes import Module, Package
from procurator_rules.parser import parse_module

Exists = Callable[[tuple[str, ...]], bool]
"""Whether a base document stands at a path."""


@dataclass(frozen=True)
class PolicyText:
    """The text of a module.

    Attributes:
        name: the name that errors report it under.
        version: the version of Rego it is in unless it says so itself.
    """

    text: str
    name: str
    version: int
    capabilities: Capabilities

    @cached_property
    def module(self) -> Module:
        """The module.

        Raises:
            PolicyError: the text is no Rego; PolicyErrors for several mistakes.
        """
        return parse_module(self.text, self.name, self.version, self.capabilities)

    @property
    def package(self) -> Package:
        """The package that it belongs to."""
        return self.module.package


@dataclass(frozen=True)
class PolicyTexts:
    """Policies, and how they are to be checked.

    Attributes:
        texts: the modules by name.
        exists: tells where base documents are in the way of rules, if that counts.
        asked: the paths for which that was asked.
    """

    texts: Mapping[str, PolicyText]
    capabilities: Capabilities
    strict: bool = False
    exists: Exists | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    @cached_property
    def checked(self) -> Checked:
        """The modules, in order.

        Raises:
            PolicyError: something is wrong with them; PolicyErrors for several mistakes.
        """
        modules: dict[str, Module] = {}
        errors: list[PolicyError] = []
        for name, text in self.texts.items():
            try:
                modules[name] = text.module
            except PolicyError as error:
                errors.append(error)
        raise_all(errors)
        path_exists = None if self.exists is None else self._ask
        options = CheckOptions(strict=self.strict, capabilities=self.capabilities, path_exists=path_exists)
        with bounded_nesting():
            return check(modules, options)

    def _ask(self, path: tuple[str, ...]) -> bool:
        assert self.exists is not None  # noqa: S101  # nothing is asked without it
        self.asked.append(path)
        return self.exists(path)
