"""Writes the pages of the reference that are made from the sources: `make docs`; `tests/repo/` compares them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from procurator.governance.config.loading import json_schema
from procurator.governance.refusals import REASONS

FOLDER: Final = Path(__file__).parent / "reference"

_MADE: Final = "<!-- Made by `make docs`. -->\n"

_SETTINGS: Final = """\
# The configuration of a gateway

`agentic-governance.yaml` is YAML 1.2, so JSON will do. What is not set has its default, and with the defaults
everything is denied. Paths are relative to the folder of the file. An unknown setting, a repeated one, an alias, a
number that can be read in two ways and a value that is not among those below are errors with file, line and column;
`procurator check -c agentic-governance.yaml` shows them, and sees whether the files that are named exist and the
policies compile. [gateway-config.schema.json](gateway-config.schema.json) says the same as a JSON Schema, for editors.

A setting with one value names the only behaviour there is: a file may state what it relies on.

```yaml
policy_engine: {mode: zero_trust, evaluation: per_action, fallback: deny}
delegation: {token_ttl_seconds: 300, max_depth: 3, scope_inheritance: narrow_only}
audit: {storage: append_only, schema_version: "1.0", capture_reasoning: true, retention_days: 2555}
quotas:
  enforcement_level: prompt
  max_actions_per_prompt: 200
  max_compute_tokens: 500000
  circuit_breaker: pause_and_notify
identity: {provider: oidc, agent_registration: dynamic, impersonation: supported, shared_keys: disabled}
policies: [policies/]
issuers:
  - issuer: https://id.example.org
    audience: agents
    jwks: https://id.example.org/.well-known/jwks.json
```
"""

_REASONS: Final = """\
# Reason codes

Every decision of the gateway has a verdict and a reason. These are the reasons that the gateway gives by itself, and
those of verdicts for which a policy gives none; a policy may give others. What is done with an action depends on the
verdict alone, never on the reason.

| reason | meaning |
|---|---|
"""


def pages() -> dict[str, str]:
    """The pages by the names of their files."""
    schema = json_schema()
    return {
        "gateway-config.md": _MADE + "\n".join((_SETTINGS, *_sections(schema))),
        "gateway-config.schema.json": json.dumps(schema, indent=2) + "\n",
        "reason-codes.md": _MADE + _REASONS + "".join(f"| `{code}` | {REASONS[code]} |\n" for code in sorted(REASONS)),
    }


def _sections(schema: dict[str, Any]) -> Iterator[str]:
    """A table for the top of the file, and one for each section in it."""
    members = schema["properties"].items()
    yield _table("At the top", "", [(name, member) for name, member in members if _section(member, schema) is None])
    for name, member in members:
        yield from _parts(name, member, schema)


def _parts(name: str, member: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """A table for a section, and for the sections in it."""
    section = _section(member, schema)
    if section is None:
        return
    title = f"{name}[]" if member.get("type") == "array" else name
    required = section.get("required", ())
    rows = [
        (key, {**value, "required": key in required})
        for key, value in section["properties"].items()
        if _section(value, schema) is None
    ]
    yield _table(f"`{title}`", section["description"], rows)
    for key, value in section["properties"].items():
        yield from _parts(f"{title}.{key}", value, schema)


def _section(member: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """The section that a member at the top holds, or a list of such sections."""
    forms = (member, member.get("items", {}), *member.get("anyOf", ()))
    name = next((form["$ref"].rpartition("/")[2] for form in forms if "$ref" in form), None)
    return None if name is None else schema["$defs"][name]


def _table(title: str, text: str, rows: list[tuple[str, dict[str, Any]]]) -> str:
    lines = [
        f"| `{name}` | {_values(member)} | {_default(member)} | {member.get('description', '')} |"
        for name, member in rows
    ]
    head = [
        f"## {title}",
        "",
        *((text, "") if text else ()),
        "| setting | values | default | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join((*head, *lines, ""))


def _values(member: dict[str, Any]) -> str:
    if "anyOf" in member:
        return " or ".join(_values(form) for form in member["anyOf"] if form.get("type") != "null")
    if "const" in member or "enum" in member:
        return ", ".join(f"`{json.dumps(value)}`" for value in member.get("enum", [member.get("const")]))
    if member["type"] == "array":
        return f"list of {_values(member['items'])}"
    return _KINDS.get(member["type"], member["type"]) + _range(member)


_KINDS: Final = {"integer": "whole number", "string": "text", "object": "mapping", "boolean": "`true`, `false`"}


def _range(member: dict[str, Any]) -> str:
    bounds = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}"}
    return "".join(" " + text.format(member[name]) for name, text in bounds.items() if name in member)


def _default(member: dict[str, Any]) -> str:
    if member.get("required") or member.get("default") is None:
        return "required" if member.get("required") else "–"
    return f"`{json.dumps(member['default'])}`"


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
