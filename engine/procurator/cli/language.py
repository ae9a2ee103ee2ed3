"""Which language a command reads policies in: the version of Rego, and the capabilities by name or from a file."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from procurator.cli.sources import read_text
from procurator.data.problems import load_error
from procurator_rules.capabilities import Capabilities, for_version, load

RELEASES: Final[Mapping[str, Callable[[int], Capabilities]]] = {"v1.22.2": for_version}
"""The releases of OPA whose capabilities are known by their names."""


def capabilities_of_release(name: str, rego_version: int = 1) -> Capabilities:
    """The capabilities of a release of OPA.

    Raises:
        PolicyError: the release is not a known one.
    """
    if name in RELEASES:
        return RELEASES[name](rego_version)
    close = get_close_matches(name, RELEASES, 1)
    hint = f"did you mean `{close[0]}`?" if close else "name a JSON file with the capabilities instead"
    raise load_error(f"no capabilities version found: {name}", hint=hint)


def capabilities_of_file(path: str) -> Capabilities:
    """The capabilities in a JSON file of OPA's format.

    Raises:
        PolicyError: the file cannot be read or is something else.
    """
    return load(read_text(path))


def chosen_capabilities(name: str | None, rego_version: int) -> Capabilities:
    """What `--capabilities` names: a file or a release; without it all there is.

    Raises:
        PolicyError: the name is neither.
    """
    if name is None:
        return for_version(rego_version)
    if name in RELEASES or not Path(name).exists():
        return capabilities_of_release(name, rego_version)
    return capabilities_of_file(name)
