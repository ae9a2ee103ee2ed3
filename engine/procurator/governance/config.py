"""`agentic-governance.yaml`: the settings of a gateway from a file, and what is wrong with them, where and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from procurator.data.documents import file_path, read_bytes, split_prefix
from procurator.data.signatures import Verification, VerificationKey
from procurator.engine import Engine
from procurator.governance.config_text import ConfigError, ConfigErrors, ConfigText, Place, config_error, read_text
from procurator.governance.policy import PolicyStep
from procurator.governance.settings import GatewayConfig, PlacedError, Section
from procurator.limits import Limits
from procurator.values import dumps
from procurator_rules.errors import PolicyError, PolicyErrors, raise_all
from procurator_rules.hints import meant
from procurator_rules.parser import decode

__all__ = [
    "ConfigError",
    "ConfigErrors",
    "GatewayConfig",
    "check_config",
    "json_schema",
    "load_config",
    "load_engine",
    "read_config",
]

SCHEMA_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def load_config(path: str | Path) -> GatewayConfig:
    """The settings in a file; paths in it are relative to its folder.

    Raises:
        PolicyError: it cannot be read, or a setting is wrong: a ConfigError, or ConfigErrors for several.
    """
    return _config(_text(path), path)


def read_config(text: str, name: str = "") -> GatewayConfig:
    """The settings in a text.

    Raises:
        ConfigError: a setting is wrong; ConfigErrors for several mistakes.
    """
    return _validated(read_text(text, name))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return {"$schema": SCHEMA_DIALECT, **GatewayConfig.model_json_schema()}


def _text(path: str | Path) -> ConfigText:
    return read_text(decode(read_bytes(Path(path)), str(path)), str(path))


def _config(text: ConfigText, path: str | Path) -> GatewayConfig:
    return _validated(text).within(Path(path).parent)


def _validated(text: ConfigText) -> GatewayConfig:
    try:
        return GatewayConfig.model_validate(text.value)
    except ValidationError as error:
        _raise([_mistake(one, text) for one in error.errors(include_url=False) if not _is_echo(one)])
        raise


def _is_echo(error: Any) -> bool:
    """Whether a list is called empty because none of its items is right."""
    return bool(error["type"] == "too_short" and error["input"])


def _raise(mistakes: Sequence[ConfigError]) -> None:
    if len(mistakes) > 1:
        raise ConfigErrors(mistakes)
    raise mistakes[0]


# What is wrong with a setting


def _mistake(error: Any, text: ConfigText) -> ConfigError:
    kind, place, context = error["type"], tuple(error["loc"]), error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _names(place[:-1])
        where = f" in `{_shown(place[:-1])}`" if place[:-1] else ""
        close = meant(str(place[-1]), known) or f"known are {', '.join(f'`{name}`' for name in known)}"
        return config_error(f"unknown setting `{place[-1]}`{where}", at=text.name_at(place), hint=close)
    if kind == "missing":
        return config_error(f"`{_shown(place)}` is missing", at=text.name_at(place[:-1]))
    if kind == "value_error":
        return _invalid(error, place, text)
    wanted = _WANTED[kind](context) if kind in _WANTED else f"something else ({error['msg']})"
    said = f"expected {wanted}, found {_found(error['input'])}"
    start = f"`{_shown(place)}`: " if place else ""
    return config_error(start + said, at=text.value_at(place), hint=_meant(error["input"], wanted))


def _invalid(error: Any, place: Place, text: ConfigText) -> ConfigError:
    cause, found = error["ctx"]["error"], error["input"]
    said = str(cause)
    if isinstance(cause, PlacedError):
        place, found = (*place, *cause.place), cause.found
    if isinstance(found, str):
        said = f"{said}, found {_found(found)}"
    return config_error(f"`{_shown(place)}`: {said}", at=text.value_at(place))


def _meant(found: Any, wanted: str) -> str | None:
    if isinstance(found, str):
        return meant(found, re.findall('`"([^"]*)"`', wanted))
    if isinstance(found, int | float) and not isinstance(found, bool) and (wanted == _TEXT or f'"{found}"' in wanted):
        return f'put it in quotes: `"{found}"`'
    return None


def _shown(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def _found(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list" if value else "an empty list"
    return "nothing" if value is None else "an empty text" if value == "" else f"`{dumps(value)}`"


def _names(place: Place) -> list[str]:
    """The settings that there are at a place."""
    model: type[Section] = GatewayConfig
    for name in place:
        if isinstance(name, str):
            model = _section(model, name)
    return sorted(one.alias or name for name, one in model.model_fields.items())


def _section(model: type[Section], name: str) -> type[Section]:
    pending: list[Any] = [model.model_fields[name].annotation]
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
        pending += getattr(kind, "__args__", ())
    return model


def _quoted(expected: str) -> str:
    return re.sub("'([^']*)'", r'`"\1"`', expected)


_TEXT: Final = "a text"

_WANTED: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "literal_error": lambda context: _quoted(context["expected"]),
    "string_type": lambda _: _TEXT,
    "int_type": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "bool_type": lambda _: "`true` or `false`",
    "tuple_type": lambda _: "a list",
    "dict_type": lambda _: "a mapping",
    "model_type": lambda _: "a mapping",
    "string_too_short": lambda _: "a text that is not empty",
    "too_short": lambda _: "a list that is not empty",
    "greater_than": lambda context: f"a number above {context['gt']:g}",
    "greater_than_equal": lambda context: f"a number from {context['ge']} on",
    "less_than_equal": lambda context: f"a number up to {context['le']}",
}
"""What pydantic's mistakes say was expected."""


# The policies, and files that are named


def load_engine(config: GatewayConfig) -> Engine:
    """The policies and documents of a gateway, within its limits.

    Raises:
        PolicyError: something cannot be read, or a policy is wrong.
    """
    limits = Limits(steps=config.limits.steps, seconds=config.limits.seconds)
    return Engine.from_paths(*config.policy_paths, limits=limits, verification=_verification(config))


def _verification(config: GatewayConfig) -> Verification | None:
    key = config.bundle_key
    if key is None:
        return None
    path = config.resolve(key.key_file)
    pem = decode(read_bytes(path), str(path))
    return Verification({key.key_id: VerificationKey(pem, key.algorithm, key.scope)}, key.key_id, key.scope)


def check_config(path: str | Path) -> GatewayConfig:
    """See that a gateway can start with a file: settings, the files they name, the policies.

    Raises:
        PolicyError: something is wrong; PolicyErrors for several mistakes.
    """
    text = _text(path)
    config = _config(text, path)
    missing: list[PolicyError] = [
        config_error(f"`{_shown(place)}`: there is no `{file}`", at=text.value_at(place))
        for place, file in _files(config)
        if not config.resolve(file).exists()
    ]
    raise_all([*missing, *_policy_mistakes(config, text, bool(missing))])
    return config


def _files(config: GatewayConfig) -> list[tuple[Place, str]]:
    """The files and folders that have to be there, and the settings that name them."""
    policies = [(("policies", number), path) for number, path in enumerate(config.policies)]
    issuers = [(("issuers", number, "jwks"), issuer.jwks) for number, issuer in enumerate(config.issuers)]
    agents = [(("agents", number, "key_file"), agent.key_file) for number, agent in enumerate(config.agents)]
    own = [("signing", config.keys.signing), ("checkpoint", config.keys.checkpoint)]
    bundle = None if config.bundle_key is None else config.bundle_key.key_file
    named: list[tuple[Place, str | None]] = [
        *((place, file_path(split_prefix(path)[1])) for place, path in policies),
        *((place, source) for place, source in issuers if "://" not in source),
        *agents,
        (("bundle_key", "key_file"), bundle),
        *((("keys", name), None if config.keys.create else file) for name, file in own),
        (("state", "path"), str(Path(config.state.path).parent)),
    ]
    return [(place, file) for place, file in named if file is not None]


def _policy_mistakes(config: GatewayConfig, text: ConfigText, is_incomplete: bool) -> list[PolicyError]:
    if is_incomplete or not config.policies:
        return []
    try:
        step = PolicyStep(load_engine(config), config.entrypoint)
    except PolicyError as error:
        return [*error.errors] if isinstance(error, PolicyErrors) else [error]
    if step.is_defined:
        return []
    hint = "set `entrypoint` to a rule that gives an object, or to a package with `allow`"
    at = text.value_at(("entrypoint",) if ("entrypoint",) in text.values else ("policies",))
    return [config_error(f"no rule of the policies stands at `{config.entrypoint}`", at=at, hint=hint)]
