"""Entries of the audit log for those who read it: found by what they say, as JSON, as decision-log events of OPA."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from procurator.governance.audit.records import Entry
from procurator.governance.times import time_text

Path = tuple[str | int, ...]

FIELDS: Final[Mapping[str, tuple[Path, ...]]] = {
    "verdict": (("verdict",),),
    "reason": (("reason",),),
    "agent": (("agent",), ("delegation", "chain", -1, "agent")),
    "prompt": (("prompt_id",), ("input", "prompt_id")),
    "tool": (("tool",), ("input", "action", "tool")),
}
"""What entries are searched by, and where records have it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted.

    Attributes:
        kinds: of one of these kinds; of any if there are none.
        fields: with these values of `FIELDS`.
        since_ns: not written before, nanoseconds since 1970.
        until_ns: written before.
    """

    kinds: frozenset[str] = frozenset()
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    since_ns: int | None = None
    until_ns: int | None = None

    def admits(self, entry: Entry) -> bool:
        """Whether an entry is wanted; one whose body was pruned has no fields."""
        if self.kinds and entry.kind not in self.kinds:
            return False
        if self.since_ns is not None and entry.time_ns < self.since_ns:
            return False
        if self.until_ns is not None and entry.time_ns >= self.until_ns:
            return False
        if not self.fields:
            return True
        record = body_of(entry)
        return all(value in values_of(record, name) for name, value in self.fields.items())


def body_of(entry: Entry) -> Any:
    """The record of an entry; an empty one if it was pruned."""
    return {} if entry.body is None else json.loads(entry.body)


def values_of(record: Any, name: str) -> Iterator[Any]:
    """What a record has in the places of one of `FIELDS`."""
    for path in FIELDS[name]:
        value = record
        for part in path:
            value = _part(value, part)
        if value is not None:
            yield value


def _part(value: Any, part: str | int) -> Any:
    """A member of an object, or an item of an array that has any; None for what is not there."""
    if isinstance(part, int):
        return value[part] if isinstance(value, list) and value else None
    return value.get(part) if isinstance(value, dict) else None


def found(entries: Iterable[Entry], wanted: Filter) -> Iterator[Entry]:
    """The entries that are wanted."""
    return (entry for entry in entries if wanted.admits(entry))


def entry_json(entry: Entry) -> str:
    """One line of JSON: an entry with its record, whose digits stay as they are."""
    head = {
        "seq": entry.seq,
        "time": time_text(entry.time_ns),
        "kind": entry.kind,
        "retention": entry.retention,
        "retain_until": time_text(entry.retain_until_ns),
        "body_hash": entry.body_hash,
        "prev_hash": entry.prev_hash,
        "entry_hash": entry.entry_hash,
    }
    return f'{json.dumps(head)[:-1]}, "record": {"null" if entry.body is None else entry.body}}}'


def opa_event(entry: Entry) -> dict[str, Any] | None:
    """The decision-log event of OPA that says the same as an entry; None for what is no decision, or was pruned."""
    if entry.kind != "decision" or entry.body is None:
        return None
    record = json.loads(entry.body)
    taken = {name: record.get(other) for name, other in OPA_FIELDS.items()}
    event = {name: value for name, value in taken.items() if value is not None}
    event["labels"] = {"id": "procurator", "version": str(record.get("engine_version", ""))}
    event["path"] = str(record.get("entrypoint", "")).removeprefix("data.").replace(".", "/")
    event["timestamp"] = str(record.get("time") or time_text(entry.time_ns))
    if "policy_revision" in record:
        event["bundles"] = {"procurator": {"revision": str(record["policy_revision"])}}
    if "duration_ns" in record:
        event["metrics"] = {"timer_server_handler_ns": record["duration_ns"]}
    custom = {name: record[name] for name in ("verdict", "reason", "request_id") if name in record}
    event["custom"] = {**custom, "seq": entry.seq, "prev_hash": entry.prev_hash, "entry_hash": entry.entry_hash}
    return event


OPA_FIELDS: Final = {
    "decision_id": "decision_id",
    "trace_id": "trace_id",
    "span_id": "span_id",
    "input": "input",
    "result": "value",
    "nd_builtin_cache": "nondeterministic",
}
"""Fields of an event that are those of our records, by their names there."""
