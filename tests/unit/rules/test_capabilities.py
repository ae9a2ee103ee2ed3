"""Capabilities: the file format, the defaults, and the signatures read from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from procurator_rules.capabilities import DEFAULT, DEFAULT_V0, Capabilities, for_version, load
from procurator_rules.errors import PolicyError
from procurator_rules.signatures import signatures_of


def test_the_default_is_written_as_it_was_read() -> None:
    """What is loaded can be printed and loaded again."""
    document = DEFAULT.to_json()
    assert load(json.dumps(document)).to_json() == document
    assert list(document) == ["builtins", "future_keywords", "features"]


def test_the_defaults_of_both_versions() -> None:
    """Rego v0 has to import what v1 has built in."""
    assert DEFAULT.future_keywords == {"and", "not", "or"}
    assert DEFAULT_V0.future_keywords == {"and", "contains", "every", "if", "in", "not", "or"}
    assert (for_version(0), for_version(1)) == (DEFAULT_V0, DEFAULT)


@pytest.mark.parametrize(
    ("features", "feature", "wanted"),
    [
        (["rego_v1"], "rego_v1", True),
        (["rego_v1"], "rego_v1_import", True),
        (["rego_v1"], "rego_v2_import", False),
        (["rego_v2"], "rego_v2_import", True),
        (["rego_v2_import"], "rego_v1_import", False),
        ([], "template_strings", False),
    ],
)
def test_features_bring_others(features: list[str], feature: str, wanted: bool) -> None:
    """A version that is supported can be imported."""
    assert load({"features": features}).supports(feature) is wanted


def test_an_old_file_says_what_it_says() -> None:
    """Keys that an old version lacks mean none of it."""
    old = load({"builtins": [], "allow_net": ["example.org"]})
    assert (len(old.future_keywords), len(old.features), old.allow_net) == (0, 0, frozenset({"example.org"}))
    assert load({}).allow_net is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "document must be an object"),
        ({"builtin": []}, "unknown key in document: builtin"),
        ({"builtins": {}}, "builtins must be an array"),
        ({"builtins": [1]}, "built-in must be an object"),
        ({"builtins": [{"name": "f"}]}, "a built-in needs a name and a decl"),
        ({"builtins": [{"name": "f", "decl": {}, "doc": ""}]}, "unknown key in built-in: doc"),
        ({"future_keywords": ["in", "unless"]}, "unknown keyword: unless"),
        ({"features": "rego_v1"}, "features must be an array of strings"),
        ({"allow_net": [1]}, "allow_net must be an array of strings"),
    ],
)
def test_what_is_not_in_the_format_is_refused(document: Any, message: str) -> None:
    """A typing mistake in a file does not pass silently."""
    with pytest.raises(PolicyError) as caught:
        load(document)
    assert (caught.value.code, caught.value.message) == ("rego_parse_error", f"illegal capabilities: {message}")


SIGNATURES = [
    ("plus", "(number, number) => number", "+"),
    ("minus", "(any<number, set[any]>, any<number, set[any]>) => any<number, set[any]>", "-"),
    ("count", "(any<string, array[any], object[any: any], set[any]>) => number", ""),
    ("io.jwt.decode", "(string) => array<object[any: any], object[any: any], string>", ""),
    ("object.get", "(object[any: any], any, any) => any", ""),
    ("print", "(any...) => ???", ""),
    ("internal.print", "(array[set[any]]) => ???", ""),
    ("time.clock", "(any<number, array<number, string>>) => array<number, number, number>", ""),
    ("json.match_schema", ("(any<string, object[any: any]>, any<string, object[any: any]>) => "
     "array<boolean, array[object<desc: string, error: string, field: string, type: string>]>"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "infix"), SIGNATURES)
def test_signatures(name: str, wanted: str, infix: str) -> None:
    """Declarations become types of functions."""
    signature = signatures_of(DEFAULT)[name]
    assert (str(signature.type), signature.infix) == (wanted, infix)


def test_every_built_in_has_a_signature() -> None:
    """All declarations of the shipped file can be read, and say what is said nowhere else."""
    signatures = dict(signatures_of(DEFAULT).items())
    assert list(signatures) == [one["name"] for one in DEFAULT.to_json()["builtins"]]
    assert [name for name, signature in signatures.items() if signature.relation] == ["walk"]
    assert signatures["http.send"].nondeterministic
    assert signatures["any"].deprecated
    assert signatures["substring"].type.labels == ("value", "offset", "length", "output")
    assert signatures["substring"].arity == 3


@pytest.mark.parametrize("decl", [{"type": "strange"}, {"type": "string"}, {"type": "function", "args": [1]}, {}])
def test_a_declaration_that_is_no_function(decl: dict[str, object]) -> None:
    """The error names the built-in, and comes when it is looked up."""
    broken = load({"builtins": [{"name": "f", "decl": decl}]})
    with pytest.raises(PolicyError, match="illegal capabilities: the decl of f is not the type of a function"):
        signatures_of(broken)["f"]


def test_functions_of_the_user() -> None:
    """Functions are added with any arguments and any result; the original stays as it was."""
    more = DEFAULT.with_functions({"corp.lookup": 2})
    assert str(signatures_of(more)["corp.lookup"].type) == "(any, any) => any"
    assert "corp.lookup" not in signatures_of(DEFAULT)
    assert isinstance(more, Capabilities)
