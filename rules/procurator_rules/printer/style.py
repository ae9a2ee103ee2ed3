"""What a module is printed for, and what follows from that for all of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from procurator_rules.keywords import ALWAYS, LOGICAL, V1
from procurator_rules.nodes import Import, Module, String, Var


@dataclass(frozen=True, slots=True)
class Target:
    """The versions of Rego that must be able to read what is printed.

    Attributes:
        oldest: 0 or 1.
        newest: 0 or 1.
        drop_imports: whether imports that the version makes needless are left out.
        keywords_in_refs: whether `input.if` may be printed where it was written; else `input["if"]` is.
    """

    oldest: int = 1
    newest: int = 1
    drop_imports: bool = False
    keywords_in_refs: bool = True


V0 = Target(0, 0)
V1_ONLY = Target(1, 1)
V0_AND_V1 = Target(0, 1)


@dataclass(frozen=True, slots=True)
class Style:
    """What all parts of one module have in common.

    Attributes:
        v1: whether the module must be readable as Rego v1: `:=` before values, `if` and `contains` always.
        uses_if: whether `if` stands before bodies.
        uses_contains: whether partial sets are printed with `contains`.
        reference_heads: whether names of rules are printed as references; else a second part stands in brackets.
        keywords: the words that cannot be names.
        keywords_in_refs: whether they can be parts of references.
        generated_names: whether the text has names such as the compiler makes, by which lines are not broken.
        translates: whether the text is v0 and what is printed v1, so that rules cannot be kept as they were written.
    """

    v1: bool = True
    uses_if: bool = True
    uses_contains: bool = True
    reference_heads: bool = True
    keywords: frozenset[str] = ALWAYS | V1
    keywords_in_refs: bool = True
    generated_names: bool = False
    translates: bool = False


def style_of(module: Module, target: Target) -> Style:
    """The style of a module."""
    v1 = target.newest >= 1
    words = [keyword_of(node) for node in module.imports]
    all_keywords = v1 or any(word in ("", "rego.v1", "rego.v2") for word in words)
    keywords = (ALWAYS | V1 if v1 else ALWAYS) | {word for word in words if word and "." not in word}
    return Style(
        v1=v1,
        uses_if=all_keywords or "if" in words,
        uses_contains=all_keywords or "contains" in words,
        reference_heads=_has_reference_heads(module),
        keywords=keywords | LOGICAL | V1 if "rego.v2" in words else keywords,
        keywords_in_refs=target.keywords_in_refs,
        generated_names="__local" in module.source.text,
        translates=v1 and module.rego_version < 1,
    )


def _has_reference_heads(module: Module) -> bool:
    for rule in module.rules:
        length = len(rule.head.ref.terms)
        if length > 2 or (length == 2 and rule.head.key is not None):
            return True
    return False


def keyword_of(node: Import) -> str | None:
    """What an import of keywords turns on: a keyword, `rego.v1`, `rego.v2`, or "" for all; None for other imports."""
    head, *rest = node.path.terms
    names = [part.value for part in rest if isinstance(part, String)]
    if not isinstance(head, Var) or head.name not in ("future", "rego"):
        return None
    if head.name == "rego":
        return f"rego.{'.'.join(names)}"
    return names[1] if len(names) > 1 else ""


def is_keyword_import(node: Import) -> bool:
    """Whether an import is of `future.keywords`."""
    head = node.path.terms[0]
    return isinstance(head, Var) and head.name == "future"


def names_of(imports: Sequence[Import]) -> set[str]:
    """What the imports of keywords among others turn on."""
    return {word for node in imports if (word := keyword_of(node)) is not None}
