"""From Python text to functions: compile once, bind to data and built-ins as often as wanted."""

import linecache
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from types import CodeType, TracebackType
from typing import Any, Final

from procurator.compile.codegen import Code
from procurator.runtime import support
from procurator.runtime.calls import OnError, bind_builtin, ignore_error, print_values
from procurator.runtime.index import Table, all_rows, no_rows
from procurator.runtime.stacks import apart
from procurator.values import UNDEFINED, Set, Value, compare, equal, key_of, lookup
from procurator_rules.spans import NO_SPAN, Span

MISSING: Final = (KeyError, TypeError, IndexError)
"""What a subscript raises where a reference is undefined."""

NAMES: Final[Mapping[str, Any]] = {
    "U": UNDEFINED,
    "Z": support.UNSET,
    "MISSING": MISSING,
    "LOOKUP": lookup,
    "LOOKUP_BASE": support.lookup_base,
    "EQUAL": equal,
    "COMPARE": compare,
    "KEY": key_of,
    "SET": Set,
    "SETOF": Set.of,
    "NEST": support.Nest,
    "FINISHED": support.finished,
    "PUT": support.put_deep,
    "PUTONE": support.put,
    "MEMBERS": support.members,
    "ENTRIES": support.entries,
    "SORTED_MEMBERS": support.sorted_members,
    "SORTED_ENTRIES": support.sorted_entries,
    "DOMAIN": support.domain,
    "FRAME": support.frame_with,
    "DOCUMENT": support.whole_document,
    "CHARGE": support.charge,
    "COUNTED": support.counted,
    "PRINT": print_values,
    "NONE": (),
    "FIRST": itemgetter(0),
    "AGREE": support.agree,
    "APART": apart,
    "NO_SPAN": NO_SPAN,
}
"""The names that generated code uses besides its own."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A program as a code object.

    Attributes:
        code: what it was made from.
        filename: under which tracebacks and debuggers find its text.
        constants: its constants as code has them, tables made; nothing changes them.
    """

    code: Code
    compiled: CodeType
    filename: str
    constants: Mapping[str, Any]


def load(code: Code) -> Loaded:
    """Compile generated text; debuggers see it under a name made from its hash."""
    digest = sha256(code.text.encode()).hexdigest()
    filename = f"<policy {digest[:12]}>"
    linecache.cache[filename] = (len(code.text), None, code.text.splitlines(keepends=True), filename)
    constants = {name: _PREPARED.get(type(value), _as_it_is)(value) for name, value in code.constants.items()}
    return Loaded(code, compile(code.text, filename, "exec"), filename, constants)


def _as_it_is(value: Any) -> Any:
    return value


# A key of an object is found faster when it is the same string and not only an equal one.
_PREPARED: Final[Mapping[type, Callable[[Any], Any]]] = {Table: Table.built, str: sys.intern}


def bind(
    loaded: Loaded, data: Value, functions: Mapping[str, Callable[..., Value]], on_error: OnError
) -> dict[str, Any]:
    """The functions of a program over one set of base documents.

    Args:
        loaded: the program.
        data: the base documents.
        functions: the built-ins by name; those that need it take the evaluation first.
        on_error: what is done with the error of a built-in, which may be raising it.
    """
    code = loaded.code
    unfit = no_rows if on_error is ignore_error else all_rows
    names: dict[str, Any] = {"__builtins__": {}, **_BUILTINS, **NAMES, **loaded.constants, "UNFIT": unfit}
    for name, path in code.bases.items():
        names[name] = support.base_value(data, path)
    for name, (builtin, span) in code.builtins.items():
        names[name] = bind_builtin(builtin, functions[builtin], span, on_error)
    exec(loaded.compiled, names)  # noqa: S102  # made by the generator from names alone
    return names


_BUILTINS: Final = {
    "isinstance": isinstance,
    "len": len,
    "type": type,
    "list": list,
    "dict": dict,
    "str": str,
    "map": map,
    "bool": bool,
    "int": int,
    "enumerate": enumerate,
    "sorted": sorted,
}
"""All of Python that generated code can reach: among its own names, where Python finds them sooner."""


def span_of(traceback: TracebackType | None, loaded: Loaded) -> Span:
    """The place of the policy at which an exception left generated code."""
    found = NO_SPAN
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == loaded.filename:
            found = loaded.code.line_map.get(traceback.tb_lineno, found)
        traceback = traceback.tb_next
    return found
