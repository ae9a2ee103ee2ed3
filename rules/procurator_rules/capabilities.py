"""What a policy may use: built-in functions, keywords to import, features of the language, hosts to fetch schemas from.

The format is that of OPA's `capabilities.json`, so a file of any OPA version says what that version accepts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from procurator_rules import keywords
from procurator_rules.errors import PARSE, PolicyError

Declaration: TypeAlias = Mapping[str, object]

KEYS: Final = frozenset({"builtins", "future_keywords", "features", "wasm_abi_versions", "allow_net"})
BUILTIN_KEYS: Final = frozenset(
    {"name", "description", "categories", "decl", "infix", "relation", "deprecated", "nondeterministic"}
)

REGO_V1: Final = "rego_v1"
REGO_V2: Final = "rego_v2"
REGO_V1_IMPORT: Final = "rego_v1_import"
REGO_V2_IMPORT: Final = "rego_v2_import"
KEYWORDS_IN_REFS: Final = "keywords_in_refs"
TEMPLATE_STRINGS: Final = "template_strings"

IMPLIED: Final[Mapping[str, frozenset[str]]] = {
    REGO_V1_IMPORT: frozenset({REGO_V1, REGO_V2}),
    REGO_V2_IMPORT: frozenset({REGO_V2}),
}
"""Features that come with any of these others."""

V0_FEATURES: Final = frozenset({REGO_V1_IMPORT, "rule_head_ref_string_prefixes", "rule_head_refs"})


@dataclass(frozen=True, eq=False)
class Capabilities:
    """What is accepted; compared by identity.

    Attributes:
        builtins: the declaration of each built-in function by name, in OPA's JSON format.
        future_keywords: what `import future.keywords` can bring.
        features: the features of the language that are on.
        allow_net: the hosts that a schema may be fetched from; None allows every host.
        wasm_abi_versions: kept as given.
    """

    builtins: Mapping[str, Declaration]
    future_keywords: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    allow_net: frozenset[str] | None = None
    wasm_abi_versions: tuple[object, ...] = field(default=(), repr=False)

    def supports(self, feature: str) -> bool:
        """Whether a feature is on, by itself or because another brings it."""
        return feature in self.features or not self.features.isdisjoint(IMPLIED.get(feature, ()))

    @cached_property
    def importable_keywords(self) -> frozenset[str]:
        """What `import future.keywords` can bring; Rego v1 has the keywords of v0 in any case."""
        return self.future_keywords | keywords.V1 if REGO_V1 in self.features else self.future_keywords

    def with_functions(self, arities: Mapping[str, int]) -> "Capabilities":
        """The same, and functions of the user's own of which only the number of arguments is known."""
        added = {name: _untyped(name, arity) for name, arity in arities.items()}
        return replace(self, builtins={**self.builtins, **added})

    def to_json(self) -> dict[str, object]:
        """The document that `load` reads."""
        document: dict[str, object] = {
            "builtins": [self.builtins[name] for name in sorted(self.builtins)],
            "future_keywords": sorted(self.future_keywords),
            "wasm_abi_versions": list(self.wasm_abi_versions),
            "features": sorted(self.features),
        }
        document = {key: value for key, value in document.items() if value}
        return document if self.allow_net is None else {**document, "allow_net": sorted(self.allow_net)}


def _untyped(name: str, arity: int) -> Declaration:
    anything = {"type": "any"}
    return {"name": name, "decl": {"args": [anything] * arity, "result": anything, "type": "function"}}


def load(document: str | bytes | Mapping[str, object]) -> Capabilities:
    """Capabilities from JSON text or from the document in it.

    Raises:
        PolicyError: it is not in the format, or has a key or a keyword that nothing is known of.
    """
    if isinstance(document, Mapping):
        return _from_document(document)
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise _illegal(f"not JSON: {error}") from None
    return _from_document(parsed)


def _from_document(document: object) -> Capabilities:
    sections = _record(document, KEYS, "document")
    future = _names(sections, "future_keywords") or frozenset()
    if strange := sorted(future - keywords.FUTURE):
        raise _illegal(f"unknown keyword: {strange[0]}")
    abi = sections.get("wasm_abi_versions")
    return Capabilities(
        builtins=_builtins(sections.get("builtins")),
        future_keywords=future,
        features=_names(sections, "features") or frozenset(),
        allow_net=_names(sections, "allow_net"),
        wasm_abi_versions=tuple(abi) if isinstance(abi, list) else (),
    )


def _builtins(entries: object) -> Mapping[str, Declaration]:
    if not isinstance(entries, list):
        if entries is None:
            return {}
        raise _illegal("builtins must be an array")
    found: dict[str, Declaration] = {}
    for entry in entries:
        record = _record(entry, BUILTIN_KEYS, "built-in")
        name, declaration = record.get("name"), record.get("decl")
        if not isinstance(name, str) or not isinstance(declaration, Mapping):
            raise _illegal("a built-in needs a name and a decl")
        found[name] = record
    return found


def _record(value: object, keys: frozenset[str], what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _illegal(f"{what} must be an object")
    if strange := sorted(set(value) - keys):
        raise _illegal(f"unknown key in {what}: {strange[0]}")
    return value


def _names(document: Mapping[str, object], key: str) -> frozenset[str] | None:
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _illegal(f"{key} must be an array of strings")
    return frozenset(value)


def _illegal(what: str) -> PolicyError:
    return PolicyError(PARSE, f"illegal capabilities: {what}")


def _shipped() -> Capabilities:
    return load(Path(__file__).with_name("capabilities.json").read_bytes())


DEFAULT: Final = _shipped()
"""Everything there is, for Rego v1."""

DEFAULT_V0: Final = replace(
    DEFAULT,
    future_keywords=keywords.FUTURE,
    features=(DEFAULT.features - {TEMPLATE_STRINGS}) | V0_FEATURES,
)
"""Everything there is, for Rego v0."""


def for_version(rego_version: int) -> Capabilities:
    """The default capabilities of a version of Rego."""
    return DEFAULT if rego_version >= 1 else DEFAULT_V0
