"""Which words are keywords, in which version of Rego and after which imports."""

import re
from typing import Final

ALWAYS: Final = frozenset(
    {"as", "default", "else", "false", "import", "not", "null", "package", "some", "true", "with"}
)
V1: Final = frozenset({"contains", "every", "if", "in"})
LOGICAL: Final = frozenset({"and", "or"})
GROUPING: Final = LOGICAL | {"not"}
"""The keywords whose operands may stand in round brackets that are no term."""
FUTURE: Final = V1 | LOGICAL | {"not"}
"""Everything that `import future.keywords` can name; `not` stands for its newer semantics."""

_IMPORT = re.compile(
    r"""#[^\n]*+|"(?>[^"\\\n]++|\\.)*+"|`[^`]*+`"""
    r"|(?<![\w.])import[ \t\r\n]+(?:future\.keywords(?:\.(?P<word>[a-z]++))?|(?P<version>rego\.v[12]))(?!\w)"
)
"""An import of keywords; comments and strings are matched to pass over them."""


def imported(text: str, allowed: frozenset[str]) -> frozenset[str]:
    """The keywords that the imports of a text turn on, `not` standing for bodies after `not`.

    Args:
        text: the policy.
        allowed: what the capabilities let `import future.keywords` bring.
    """
    if "future.keywords" not in text and "rego.v" not in text:
        return frozenset()
    found: set[str] = set()
    for match in _IMPORT.finditer(text):
        if match.group().startswith("import"):
            found |= keywords_of_import(match["word"], match["version"], allowed)
    return frozenset(found)


def keywords_of_import(word: str | None, version: str | None, allowed: frozenset[str]) -> frozenset[str]:
    """What one import turns on: `future.keywords` (no word), `future.keywords.word` or `rego.v1`, `rego.v2`."""
    if version is not None:
        return V1 if version == "rego.v1" else V1 | FUTURE
    if word is None:
        return allowed
    found = frozenset({word}) & allowed
    return found | {"in"} if "every" in found else found


def reserved(rego_version: int, active: frozenset[str]) -> frozenset[str]:
    """The words that cannot name a variable or a rule; `contains` is a keyword in rule heads alone."""
    return (ALWAYS | (V1 if rego_version >= 1 else frozenset()) | active) - {"contains"}
