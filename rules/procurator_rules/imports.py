"""`package` and `import`: from their paths to nodes, with the checks that OPA's parser makes."""

from collections.abc import Callable
from typing import Final

from procurator_rules.capabilities import REGO_V1_IMPORT, REGO_V2_IMPORT
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import dotted
from procurator_rules.keywords import ALWAYS, V1
from procurator_rules.nodes import Import, Package, Ref, String, Term, Var
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import KIND_NAMES, unexpected
from procurator_rules.tokens import Token, after_space

ROOTS: Final = frozenset({"data", "future", "input", "rego"})


def package(keyword: Token, path: Term, reading: Reading) -> Package:
    """`package a.b["c"]`."""
    head, *rest = path.terms if isinstance(path, Ref) else (path,)
    _only_strings(rest)
    root = (Var("data", span=head.span), String(_name(head), span=head.span))
    return Package(Ref((*root, *rest), span=path.span), span=Span(reading.source, keyword.start, path.span.end))


def _only_strings(terms: list[Term]) -> None:
    for part in terms:
        if not isinstance(part, String):
            raise PolicyError(PARSE, f"unexpected {KIND_NAMES[type(part)]} token: expecting string", at=part.span)


def _name(part: Term) -> str:
    return part.value if isinstance(part, String) else part.name if isinstance(part, Var) else ""


def import_(keyword: Token, path: Term, alias: Token | None, reading: Reading) -> Import:
    """`import data.a.b as c`.

    Raises:
        PolicyError: for what ends the reading; other mistakes are noted.
    """
    path = path if isinstance(path, Ref) else Ref((path,), span=path.span)
    head, *rest = path.terms
    _only_strings(rest)
    root = _name(head)
    if root not in ROOTS:
        raise PolicyError(
            PARSE,
            f"unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {root}",
            at=path.span,
            hint="if this is unexpected, try updating OPA",
        )
    end = path.span.end if alias is None else alias.end
    node = Import(path, _alias(alias, reading), span=Span(reading.source, keyword.start, end))
    for check in (_check_last, _SPECIAL.get(root)):
        problem = check(node, alias, reading) if check is not None else None
        if problem is not None:
            reading.mistakes.append(problem)
    reading.imports.append(node)
    return node


def _alias(alias: Token | None, reading: Reading) -> str | None:
    if alias is None:
        return None
    if alias in ("input", "data"):
        message = f"unexpected import alias, must not be a reserved name, got: {alias}"
        raise PolicyError(PARSE, message, at=reading.span(alias))
    if "." in alias:
        raise unexpected(reading, after_space(reading.source.text, alias.end), "expected var")
    if alias in reading.reserved:
        raise unexpected(reading, alias.start, "expected var")
    return str(alias)


def _check_last(node: Import, alias: Token | None, reading: Reading) -> PolicyError | None:
    last = node.path.terms[-1]
    words = ALWAYS | V1 if reading.rego_version >= 1 else ALWAYS
    if alias is not None or _name(last) not in words or _name(node.path.terms[0]) == "future":
        return None
    return PolicyError(
        PARSE,
        f"unexpected import path, must not end with a keyword, got: {_name(last)}",
        at=last.span,
        hint="import a different path or use an alias",
    )


def _check_future(node: Import, alias: Token | None, reading: Reading) -> PolicyError | None:
    names = [_name(part) for part in node.path.terms[1:]]
    if names[:1] != ["keywords"]:
        return PolicyError(PARSE, "invalid import, must be `future.keywords`", at=node.path.span)
    if alias is not None:
        return PolicyError(PARSE, "`future` imports cannot be aliased", at=reading.span(alias))
    allowed = reading.capabilities.importable_keywords
    if len(names) == 2 and names[1] not in allowed:
        message = f"unexpected keyword, must be one of [{' '.join(sorted(allowed))}]"
        return PolicyError(PARSE, message, at=node.path.span)
    return None


_REGO_FEATURES: Final = {"rego.v1": REGO_V1_IMPORT, "rego.v2": REGO_V2_IMPORT}


def _check_rego(node: Import, alias: Token | None, reading: Reading) -> PolicyError | None:
    path = dotted(node.path)
    feature = _REGO_FEATURES.get(path)
    if feature is None:
        message = f"invalid import `{node.path.span.text}`, must be one of: `rego.v1`, `rego.v2`"
        return PolicyError(PARSE, message, at=node.path.span)
    if not reading.capabilities.supports(feature):
        message = f"invalid import, `{path}` is not supported by current capabilities"
        return PolicyError(PARSE, message, at=node.path.span)
    if alias is not None:
        return PolicyError(PARSE, "`rego` imports cannot be aliased", at=reading.span(alias))
    return None


_SPECIAL: Final[dict[str, Callable[[Import, Token | None, Reading], PolicyError | None]]] = {
    "future": _check_future,
    "rego": _check_rego,
}


def version(imports: list[Import], rego_version: int) -> int:
    """The version of a module: at least 1 after `import rego.v1` or `rego.v2`."""
    return max(rego_version, *(int(_name(node.path.terms[0]) == "rego") for node in imports), 0)
