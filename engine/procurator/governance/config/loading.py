"""`agentic-governance.yaml`: the settings of a gateway from a file, and what is wrong with them, where and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from procurator.data.documents import read_bytes
from procurator.governance.config.settings import GatewayConfig, PlacedError, Section
from procurator.governance.config.text import ConfigError, ConfigErrors, ConfigText, Place, config_error, read_text
from procurator.values import dumps
from procurator_rules.hints import meant
from procurator_rules.parser import decode

__all__ = [
    "ConfigError",
    "ConfigErrors",
    "GatewayConfig",
    "json_schema",
    "load_config",
    "read_config",
]

SCHEMA_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def load_config(path: str | Path) -> GatewayConfig:
    """The settings in a file; paths in it are relative to its folder.

    Raises:
        PolicyError: it cannot be read, or a setting is wrong: a ConfigError, or ConfigErrors for several.
    """
    return config_of(load_text(path), path)


def read_config(text: str, name: str = "") -> GatewayConfig:
    """The settings in a text.

    Raises:
        ConfigError: a setting is wrong; ConfigErrors for several mistakes.
    """
    return _validated(read_text(text, name))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return {"$schema": SCHEMA_DIALECT, **GatewayConfig.model_json_schema()}


def load_text(path: str | Path) -> ConfigText:
    """The text of a file, as YAML that knows its places.

    Raises:
        PolicyError: it cannot be read, or is no YAML.
    """
    return read_text(decode(read_bytes(Path(path)), str(path)), str(path))


def config_of(text: ConfigText, path: str | Path) -> GatewayConfig:
    """The settings that a text has; paths in it are relative to the folder of the file.

    Raises:
        ConfigError: a setting is wrong; ConfigErrors for several mistakes.
    """
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
        where = f" in `{shown(place[:-1])}`" if place[:-1] else ""
        close = meant(str(place[-1]), known) or f"known are {', '.join(f'`{name}`' for name in known)}"
        return config_error(f"unknown setting `{place[-1]}`{where}", at=text.name_at(place), hint=close)
    if kind == "missing":
        return config_error(f"`{shown(place)}` is missing", at=text.name_at(place[:-1]))
    if kind == "value_error":
        return _invalid(error, place, text)
    wanted = _WANTED[kind](context) if kind in _WANTED else f"something else ({error['msg']})"
    said = f"expected {wanted}, found {_found(error['input'])}"
    start = f"`{shown(place)}`: " if place else ""
    return config_error(start + said, at=text.value_at(place), hint=_meant(error["input"], wanted))


def _invalid(error: Any, place: Place, text: ConfigText) -> ConfigError:
    cause, found = error["ctx"]["error"], error["input"]
    said = str(cause)
    if isinstance(cause, PlacedError):
        place, found = (*place, *cause.place), cause.found
    if isinstance(found, str):
        said = f"{said}, found {_found(found)}"
    return config_error(f"`{shown(place)}`: {said}", at=text.value_at(place))


def _meant(found: Any, wanted: str) -> str | None:
    if isinstance(found, str):
        return meant(found, re.findall('`"([^"]*)"`', wanted))
    if isinstance(found, int | float) and not isinstance(found, bool) and (wanted == _TEXT or f'"{found}"' in wanted):
        return f'put it in quotes: `"{found}"`'
    return None


def shown(place: Place) -> str:
    """A place as messages name it: `issuers[0].jwks`."""
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
