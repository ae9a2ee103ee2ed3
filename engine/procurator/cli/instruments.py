"""What follows an evaluation on the command line: counts for profiles and coverage, and a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from procurator.cli.eval_flags import PROFILE_LIMIT, Flags
from procurator.compile.plan import RuleInfo
from procurator.runtime.course import Course
from procurator.runtime.coverage import Coverage, coverage
from procurator.runtime.explanation import Entry, Explanation
from procurator.runtime.pieces import pieces_of, pieces_of_query
from procurator.runtime.profile import ProfileLine, profile
from procurator.runtime.trace import Event
from procurator_rules.nodes import Body, Module


class Instruments:
    """Takes the events of one evaluation, as far as the flags want to know of them."""

    def __init__(self, flags: Flags, query: Body, modules: Mapping[str, Module], rules: Sequence[RuleInfo]) -> None:
        self._flags = flags
        self._pieces = {name: pieces_of(module) for name, module in modules.items()}
        self._every = [*pieces_of_query(query), *(piece for found in self._pieces.values() for piece in found)]
        self._course = Course(self._every)
        self._explanation = Explanation(query[0].span, rules)

    def record(self, event: Event) -> None:
        """Take an event."""
        if self._flags.explains:
            self._explanation(event)
        if self._flags.coverage or self._flags.profiles:
            self._course(event)

    def note(self, text: str) -> None:
        """Take a note of `trace`."""
        self._explanation.note(text)

    def end(self) -> None:
        """Note that the evaluation is over."""
        self._course.end()

    @property
    def explanation(self) -> list[Entry]:
        """The trace; nothing if it is not wanted."""
        return self._explanation.entries(self._flags.explain) if self._flags.explains else []

    @property
    def profile(self) -> list[ProfileLine]:
        """The profile; nothing if it is not wanted."""
        if not self._flags.profiles:
            return []
        limit = PROFILE_LIMIT if self._flags.profile_limit is None else self._flags.profile_limit
        return profile(self._course, self._every, self._flags.profile_sort, limit)

    @property
    def coverage(self) -> Coverage | None:
        """The coverage, if it is wanted."""
        return coverage(self._course, self._pieces) if self._flags.coverage else None
