"""`opa.runtime`: what a policy can ask of the process it runs in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Final

from procurator.runtime.context import Evaluation
from procurator.values import Value

_SECRET: Final[Mapping[str, tuple[str, ...]]] = {"services": ("credentials",), "keys": ("key", "private_key")}


def runtime(evaluation: Evaluation) -> Value:
    """The configuration without secrets; version and environment only where that is allowed."""
    return evaluation.once("opa.runtime", (), lambda: _runtime(evaluation))


def _runtime(evaluation: Evaluation) -> Value:
    told: dict[str, Value] = {}
    if evaluation.options.config:
        told["config"] = {
            name: _without(part, _SECRET.get(name, ())) for name, part in evaluation.options.config.items()
        }
    if evaluation.options.runtime_env:
        told |= {"env": dict(os.environ), "version": _version()}
    return told


def _without(part: Value, secret: tuple[str, ...]) -> Value:
    """The services or keys of a configuration, be they listed or named, each without what is secret."""
    if isinstance(part, list):
        return [_open_part(item, secret) for item in part]
    if isinstance(part, dict) and secret:
        return {name: _open_part(item, secret) for name, item in part.items()}
    return part


def _open_part(item: Value, secret: tuple[str, ...]) -> Value:
    if isinstance(item, dict):
        return {name: value for name, value in item.items() if name not in secret}
    return item


@lru_cache(maxsize=1)
def _version() -> str:
    return version("procurator")


CONTEXT_TABLE: Final[Mapping[str, Callable[..., Value]]] = {"opa.runtime": runtime}
