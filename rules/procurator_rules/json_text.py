"""JSON text as Go's encoder writes it: indented by two, in the order given, HTML characters escaped."""

import json
from typing import Any, Final

from procurator_rules.nodes import Number

HTML_ESCAPES: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def json_text(value: Any) -> str:
    """The text of a value of any depth; a `nodes.Number` in it is written digit by digit as it stands."""
    written: list[str] = []
    waiting: list[str | tuple[Any, str]] = [(value, "\n")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            written.append(item)
        elif isinstance(item[0], dict | list) and item[0]:
            waiting.extend(reversed(_pieces(*item)))
        else:
            written.append(_scalar(item[0]))
    return "".join(written)


def _pieces(container: dict[str, Any] | list[Any], margin: str) -> list[str | tuple[Any, str]]:
    inner = margin + "  "
    pieces: list[str | tuple[Any, str]] = ["[" if isinstance(container, list) else "{"]
    entries = enumerate(container) if isinstance(container, list) else container.items()
    for key, value in entries:
        name = "" if isinstance(key, int) else f"{_scalar(key)}: "
        pieces += [f"{inner}{name}", (value, inner), ","]
    pieces[-1] = margin + ("]" if isinstance(container, list) else "}")
    return pieces


def _scalar(value: object) -> str:
    if isinstance(value, Number):
        return _number(value.text)
    return json.dumps(value, ensure_ascii=False).translate(HTML_ESCAPES)


def _number(text: str) -> str:
    # Rego allows a number to begin with its point, JSON does not.
    return text.replace("-.", "-0.", 1) if text.startswith("-.") else f"0{text}" if text.startswith(".") else text
