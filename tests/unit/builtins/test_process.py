"""`opa.runtime`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from procurator.builtins.process import CONTEXT_TABLE
from procurator.runtime.context import Evaluation, Options

VERSION = version("procurator")
CONFIG = {
    "services": {"a": {"url": "https://a", "credentials": {"bearer": {"token": "secret"}}}},
    "keys": {"k": {"algorithm": "RS256", "key": "secret", "private_key": "secret"}},
    "labels": {"app": "x"},
}


def test_the_runtime_shows_nothing_by_default() -> None:
    assert CONTEXT_TABLE["opa.runtime"](Evaluation()) == {}


def test_the_environment_is_shown_when_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCURATOR_TEST", "1")
    told = CONTEXT_TABLE["opa.runtime"](Evaluation(Options(runtime_env=True)))
    assert told["env"]["PROCURATOR_TEST"] == "1"
    assert told["version"] == VERSION


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        (
            CONFIG,
            {"services": {"a": {"url": "https://a"}}, "keys": {"k": {"algorithm": "RS256"}}, "labels": {"app": "x"}},
        ),
        ({"services": [{"name": "a", "credentials": {"token": "secret"}}]}, {"services": [{"name": "a"}]}),
    ],
)
def test_the_configuration_is_shown_without_its_secrets(config: Any, shown: Any) -> None:
    assert CONTEXT_TABLE["opa.runtime"](Evaluation(Options(config=config)))["config"] == shown
