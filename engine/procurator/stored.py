"""What a cache keeps of an engine: that its policies are in order, their rules, and the code of its queries.

Three kinds of artefacts: one for a set of policies, one for each query, and one for each code of a query, which depends
on the shape of the data. All go by a hash of whatever they were made from, the compiler itself included.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import cache, cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import msgpack

import procurator_rules
from procurator.cache import Cache
from procurator.compile.artefact import (
    QueryRecord,
    decode_code,
    decode_policies,
    decode_query,
    encode_code,
    encode_policies,
    encode_query,
)
from procurator.compile.codegen import Code, generate
from procurator.compile.cost import Cost, cost_of
from procurator.compile.packing import DamagedError, UnstorableError
from procurator.compile.plan import Program, RuleInfo
from procurator.compile.references import Settings
from procurator.query import Name, bases_of, outputs_of
from procurator.texts import PolicyTexts
from procurator_rules.capabilities import DEFAULT, DEFAULT_V0, Capabilities
from procurator_rules.spans import Source

T = TypeVar("T")

ENGINE_FILES: Final = ("*.py", "builtins/operands.py", "builtins/registry.py", "compile/*.py", "runtime/*.py")
"""The files of the engine that have a part in what code is made; of the rule language all have."""


class Shelf:
    """What a cache keeps for one set of policies."""

    def __init__(self, folder: Cache, policies: PolicyTexts) -> None:
        self._folder = folder
        self._policies = policies
        self._key = _key_of_policies(policies)
        texts = sorted(policies.texts.values(), key=lambda text: text.name)
        self.sources = tuple(Source(text.name, text.text.removeprefix("\ufeff")) for text in texts)

    @cached_property
    def rules(self) -> Sequence[RuleInfo] | None:
        """The rules of the policies, when these were in order before and no base document is in their way now."""
        found = self.get(self._key, lambda data: decode_policies(data, self.sources))
        exists = self._policies.exists
        if found is None or (exists is not None and any(map(exists, found.asked))):
            return None
        return found.rules

    def keep_rules(self, rules: Sequence[RuleInfo]) -> None:
        """Note that the policies are in order."""
        self.keep(self._key, lambda: encode_policies(rules, self._policies.asked, self.sources))

    def query(self, text: str, as_term: bool, strict: bool, make: Callable[[], Program]) -> Stored:
        """A query against the policies.

        Args:
            text: the query.
            as_term: whether it is a term whose value is wanted.
            strict: whether errors of built-ins count.
            make: makes the program of the query when the cache does not have what is needed.
        """
        return Stored(self, _key(self._key, text, as_term, strict), (*self.sources, Source("", text)), make)

    def get(self, key: bytes, decode: Callable[[bytes], T]) -> T | None:
        """What is kept under a key; None when that is nothing, or cannot be relied on."""
        data = self._folder.get(key)
        try:
            return None if data is None else decode(data)
        except DamagedError:
            return None

    def keep(self, key: bytes, encode: Callable[[], bytes]) -> None:
        """Keep something, if there is a form for it."""
        with suppress(UnstorableError):
            self._folder.put(key, encode())


@dataclass(frozen=True)
class Stored:
    """A query of which a cache may have the code.

    Attributes:
        make: makes its program.
    """

    shelf: Shelf
    key: bytes
    sources: tuple[Source, ...]
    make: Callable[[], Program]

    @cached_property
    def program(self) -> Program:
        """The program, made when it is first needed."""
        return self.make()

    @property
    def rules(self) -> Sequence[RuleInfo]:
        """The rules that decisions refer to."""
        rules = self.shelf.rules
        return self.program.rules if rules is None else rules

    @cached_property
    def _record(self) -> QueryRecord:
        found = self.shelf.get(self.key, decode_query)
        if found is None:
            program = self.program
            found = QueryRecord(outputs_of(program), bases_of(program), cost_of(program))
            self.shelf.keep(self.key, partial(encode_query, found))
        return found

    @property
    def outputs(self) -> tuple[str, ...]:
        """The variables of the query."""
        return self._record.outputs

    @property
    def bases(self) -> tuple[Name, ...]:
        """The paths of the base documents that the query reads."""
        return self._record.bases

    @property
    def cost(self) -> Cost:
        """The steps it takes."""
        return self._record.cost

    def code(self, settings: Settings) -> Code:
        """The code for data of a shape."""
        key = _key_of_code(self.key, settings)
        found = self.shelf.get(key, lambda data: decode_code(data, self.sources, self.rules))
        if found is None:
            found = generate(self.program, settings)
            self.shelf.keep(key, partial(encode_code, found, self.sources))
        return found


# Keys


def _key(*parts: Any) -> bytes:
    return sha256(msgpack.packb(parts, unicode_errors="surrogatepass")).digest()


def _key_of_policies(policies: PolicyTexts) -> bytes:
    texts = [[name, text.text, text.version] for name, text in sorted(policies.texts.items())]
    return _key(compiler(), texts, policies.strict, _identity(policies.capabilities))


def _identity(capabilities: Capabilities) -> Any:
    """What tells capabilities from others; those that are shipped go by a number."""
    shipped = [number for number, known in enumerate((DEFAULT, DEFAULT_V0)) if capabilities is known]
    return shipped or capabilities.to_json()


def _key_of_code(query: bytes, settings: Settings) -> bytes:
    shapes = [[path, astuple(shape)] for path, shape in sorted(settings.shapes.items())]
    flags = [settings.traced, settings.steps.value, settings.bounded, settings.prints, sorted(settings.contextual)]
    return _key(query, flags, shapes)


@cache
def compiler() -> bytes:
    """A hash of all that makes code of policies."""
    found = sha256(sys.version.encode())
    engine, rules = Path(__file__).parent, Path(procurator_rules.__file__).parent
    files = [path for pattern in ENGINE_FILES for path in engine.glob(pattern)]
    files += [path for path in rules.rglob("*") if path.suffix in (".py", ".lark", ".json")]
    for path in sorted(files):
        content = path.read_bytes()
        found.update(_key(path.name, len(content)))
        found.update(content)
    return found.digest()
