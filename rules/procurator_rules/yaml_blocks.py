"""The YAML of METADATA blocks: text -> fields of the wanted kinds, with the row of what is wrong in it.

Plain scalars are read as by the YAML 1.2 core schema, with what OPA's reader adds to it: numbers as in `0b11`, `017`
and `1_000`, timestamps, and `yes`, `on` and their kind where a boolean is wanted.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

MAX_NODES: Final = 20_000
"""How much a block may come to once aliases are followed."""

TAG: Final = "tag:yaml.org,2002:"
PLAIN: Final = "plain"


class BlockError(Exception):
    """A block that cannot be read.

    Attributes:
        line: 0-based line of the block, or None for the block as a whole.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class KindError(Exception):
    """A node that is not of the wanted kind."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read(text: str, kinds: Mapping[str, str]) -> dict[str, Value]:
    """The fields of a block that a table of kinds names; others are passed over.

    Args:
        text: the YAML.
        kinds: for each field one of the names in READERS.

    Raises:
        BlockError: it is no YAML, or a field is not of its kind.
    """
    root = _compose(text)
    if root is None:
        return {}
    budget = _Budget()
    mistakes: list[KindError] = []
    fields: dict[str, Value] = {}
    try:
        for key, value in _pairs(root, "ast.rawAnnotation", budget):
            if (kind := kinds.get(str(key.value))) and not _is_null(value):
                _read_field(fields, str(key.value), value, kind, budget, mistakes)
    except KindError as mistake:
        mistakes.append(mistake)
    except RecursionError:
        raise BlockError("yaml: exceeded max depth") from None
    if mistakes:
        lines = "".join(f"\n  line {mistake.line + 1}: {mistake.message}" for mistake in mistakes)
        raise BlockError(f"yaml: unmarshal errors:{lines}", mistakes[0].line)
    return fields


def _read_field(
    fields: dict[str, Value], name: str, node: "Node", kind: str, budget: "_Budget", mistakes: list[KindError]
) -> None:
    try:
        fields[name] = READERS[kind](node, budget)
    except KindError as mistake:
        mistakes.append(mistake)


class _Budget:
    """Counts nodes, so that aliases of aliases cannot blow a block up."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise BlockError("yaml: document contains excessive aliasing")


def _compose(text: str) -> "Node | None":
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        return next(iter(_reader()(text)), None)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) if isinstance(error.position, int) else None
        raise BlockError("yaml: control characters are not allowed", line) from None
    except MarkedYAMLError as error:
        raise _syntax_error(error) from None
    except (YAMLError, ValueError, AssertionError, NotImplementedError) as error:
        raise BlockError(f"yaml: {error}".splitlines()[0]) from None
    except RecursionError:
        raise BlockError("yaml: exceeded max depth") from None


@lru_cache(maxsize=1)
def _reader() -> Callable[[str], Iterator["Node"]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.resolver import VersionedResolver
    from ruamel.yaml.tag import Tag

    class Resolver(VersionedResolver):
        """Marks plain scalars as such: what they mean is decided here, not by a version of YAML."""

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is ScalarNode and implicit[0]:
                return Tag(suffix=PLAIN)
            return super().resolve(kind, value, implicit)

    def compose(text: str) -> Iterator["Node"]:
        yaml = YAML(typ="safe", pure=True)
        yaml.Resolver = Resolver
        nodes: Iterator[Node] = yaml.compose_all(text)
        return nodes

    return compose


PROBLEMS: Final[Sequence[tuple[str, str]]] = (
    ("mapping values are not allowed", "mapping values are not allowed in this context"),
    ("found character .* that cannot start any token", "found character that cannot start any token"),
    ("expected ',' or ']'", "did not find expected ',' or ']'"),
    ("expected ',' or '}'", "did not find expected ',' or '}'"),
    ("expected <block end>", "did not find expected key"),
    ("expected '<document start>'", "did not find expected <document start>"),
    ("expected the node content", "did not find expected node content"),
    ("found unknown escape character", "found unknown escape character"),
)
"""What the YAML library calls a problem, and what users of OPA know it as."""


def _syntax_error(error: Any) -> BlockError:
    from ruamel.yaml.scanner import ScannerError

    problem = str(error.problem)
    place = error.problem_mark.line if error.problem_mark else None
    if alias := re.fullmatch("found undefined alias '(.*)'", problem):
        return BlockError(f"yaml: unknown anchor '{alias[1]}' referenced", place)
    context = error.context_mark.line if error.context_mark else 0
    line = context or place or 0
    if line and isinstance(error, ScannerError):
        line += 1
    said = next((said for pattern, said in PROBLEMS if re.match(pattern, problem)), problem)
    return BlockError(f"yaml: {f'line {line}: ' if line else ''}{said}", place)


def _line(node: "Node") -> int:
    line: int = node.start_mark.line
    return line


def _tag(node: "Node") -> str:
    tag = str(node.tag).removeprefix(TAG)
    return tag if tag != PLAIN else _plain(node.value)[0]


def _is_null(node: "Node") -> bool:
    return _tag(node) == "null"


def _wrong(node: "Node", wanted: str) -> KindError:
    value = node.value
    shown = f" `{value if len(value) <= 10 else value[:7] + '...'}`" if isinstance(value, str) else ""
    return KindError(f"cannot unmarshal !!{_tag(node)}{shown} into {wanted}", _line(node))


def _pairs(node: "Node", wanted: str, budget: _Budget) -> list[tuple["Node", "Node"]]:
    """The pairs of a mapping, what `<<` merges in included unless the mapping has the key itself."""
    if not _is_mapping(node):
        raise _wrong(node, wanted)
    seen: dict[str, Node] = {}
    own: list[tuple[Node, Node]] = []
    merged: list[tuple[Node, Node]] = []
    for key, value in node.value:
        budget.spend()
        if key.value == "<<" and _tag(key) == "merge":
            merged += _merged(value, budget)
            continue
        if isinstance(key.value, str):
            if first := seen.get(key.value):
                raise KindError(f'mapping key "{key.value}" already defined at line {_line(first) + 1}', _line(key))
            seen[key.value] = key
        own.append((key, value))
    return own + [pair for pair in merged if pair[0].value not in seen] if merged else own


def _merged(node: "Node", budget: _Budget) -> list[tuple["Node", "Node"]]:
    sources = [node] if _is_mapping(node) else node.value if isinstance(node.value, list) else []
    if not sources or not all(map(_is_mapping, sources)):
        raise BlockError("yaml: map merge requires map or sequence of maps as the value", _line(node))
    found: dict[str, tuple[Node, Node]] = {}
    for source in sources:
        for key, value in _pairs(source, "map", budget):
            found.setdefault(str(key.value), (key, value))
    return list(found.values())


def _is_mapping(node: "Node") -> bool:
    return type(node).__name__ == "MappingNode"


def _items(node: "Node", wanted: str) -> list["Node"]:
    if type(node).__name__ != "SequenceNode":
        raise _wrong(node, wanted)
    items: list[Node] = node.value
    return items


def _string(node: "Node", budget: _Budget) -> str:
    budget.spend()
    if not isinstance(node.value, str):
        raise _wrong(node, "string")
    if _tag(node) == "binary":
        return _binary(node.value)
    return node.value


WORDS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}


def _boolean(node: "Node", budget: _Budget) -> bool:
    value = _value(node, budget)
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in WORDS:
        return WORDS[value]
    raise _wrong(node, "bool")


def _strings(node: "Node", budget: _Budget) -> Value:
    return [_string(item, budget) for item in _items(node, "[]string") if not _is_null(item)]


def _values(node: "Node", budget: _Budget) -> Value:
    return [_value(item, budget) for item in _items(node, "[]interface {}")]


def _mapping(node: "Node", budget: _Budget) -> Value:
    """A mapping whose keys are strings or, at the top, scalars to be read as strings."""
    pairs = _pairs(node, "map[string]interface {}", budget)
    return {_string(key, budget): _value(value, budget) for key, value in pairs}


def _mappings(node: "Node", budget: _Budget) -> Value:
    return [_mapping(item, budget) for item in _items(node, "[]map[string]interface {}") if not _is_null(item)]


READERS: Final[Mapping[str, Callable[["Node", _Budget], Value]]] = {
    "string": _string,
    "boolean": _boolean,
    "strings": _strings,
    "values": _values,
    "mapping": _mapping,
    "mappings": _mappings,
}


def _value(node: "Node", budget: _Budget, path: tuple[str, ...] = ()) -> Value:
    budget.spend()
    if isinstance(node.value, str):
        return _scalar(node)
    if not _is_mapping(node):
        return [_value(item, budget, (*path, str(i))) for i, item in enumerate(node.value)]
    result: dict[str, Value] = {}
    for key, value in _pairs(node, "map", budget):
        if not isinstance(key.value, str):
            raise BlockError("yaml: invalid map key", _line(key))
        if _tag(key) != "str":
            raise BlockError(f"invalid map key type(s): {'/'.join(path)}")
        result[key.value] = _value(value, budget, (*path, key.value))
    return result


def _scalar(node: "Node") -> Value:
    tag = str(node.tag).removeprefix(TAG)
    if tag == PLAIN:
        return _plain(node.value)[1]
    if tag == "binary":
        return _binary(node.value)
    if tag in ("int", "float", "bool", "null"):
        found, value = _plain(node.value)
        if found != tag and (tag, found) != ("float", "int"):
            raise BlockError(f"yaml: cannot decode !!{found} `{node.value}` as a !!{tag}", _line(node))
        return value
    return str(node.value)


def _binary(value: str) -> str:
    try:
        return b64decode(value).decode()
    except ValueError:
        raise BlockError("yaml: !!binary value contains invalid base64 data") from None


NAMED: Final[Mapping[str, tuple[str, Value]]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", True)),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", False)),
    "<<": ("merge", "<<"),
}
_INTEGER = re.compile(r"[-+]?(?:0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]| )(\d\d?):(\d\d):(\d\d)(\.\d+)?(Z|[-+]\d\d:\d\d)?)?")


def _plain(text: str) -> tuple[str, Value]:
    """What a scalar without quotes means: the kind it has, and its value."""
    if text in NAMED:
        return NAMED[text]
    if text[0] in "0123456789+-.":
        digits = text.replace("_", "")
        if _INTEGER.fullmatch(digits):
            return ("int", _integer(digits))
        if _FLOAT.fullmatch(digits) and abs(number := float(digits)) != float("inf"):
            return ("float", _shortest(number))
        if date := _DATE.fullmatch(text):
            return _timestamp(text, date)
    return ("str", text)


def _integer(digits: str) -> Value:
    sign, digits = (-1, digits[1:]) if digits[0] == "-" else (1, digits.removeprefix("+"))
    if digits[:1] == "0" and digits[1:].isdigit():
        digits = f"0o{digits[1:]}"
    value = sign * int(digits, 0)
    return value if -(2**63) <= value < 2**64 else _shortest(float(value))


def _shortest(number: float) -> Value:
    """A number without a fraction is a whole one, as its JSON text is."""
    return int(number) if number.is_integer() and abs(number) < 1e21 else number


def _timestamp(text: str, date: re.Match[str]) -> tuple[str, Value]:
    year, month, day, hour, minute, second, fraction, zone = date.groups()
    try:
        datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return ("str", text)
    clock = f"{int(hour or 0):02}:{minute or '00'}:{second or '00'}"
    fraction = (fraction or "").rstrip("0").rstrip(".")
    return ("timestamp", f"{year}-{int(month):02}-{int(day):02}T{clock}{fraction}{zone or 'Z'}")
