"""Built-ins of the family `yaml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins.operands import BuiltinError, string
from procurator.builtins.yaml_reading import YamlError, load_yaml
from procurator.builtins.yaml_writing import dump_yaml
from procurator.values import Value


def marshal(value: Value) -> Value:
    """The value as YAML."""
    return dump_yaml(value)


def unmarshal(value: Value) -> Value:
    """The value of a YAML text."""
    try:
        return load_yaml(string(value, 1))
    except YamlError as error:
        raise BuiltinError(str(error)) from None


def is_valid(value: Value) -> Value:
    """Whether the value is a string that is YAML."""
    if not isinstance(value, str):
        return False
    try:
        load_yaml(value)
    except YamlError:
        return False
    return True


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "yaml.is_valid": is_valid,
    "yaml.marshal": marshal,
    "yaml.unmarshal": unmarshal,
}
