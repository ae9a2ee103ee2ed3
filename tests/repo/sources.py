"""The product's own source files, read once for the tests of the repository."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("rules", "engine", "stdlib_policies")
OWN_PACKAGES = ("procurator_rules", "procurator", "procurator_stdlib")


@dataclass(frozen=True, eq=False)
class SourceFile:
    """One module: where it is, what it is imported as."""

    path: Path
    module: str

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @cached_property
    def package(self) -> str:
        return self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]

    def imports(self) -> Iterator[tuple[str, ast.stmt]]:
        """Own modules that are imported for use at run time, with the statements."""
        for statement in self.tree.body:
            yield from self.imported_by(statement)

    def imported_by(self, statement: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names = [_existing(statement.module, alias.name) for alias in statement.names]
        else:
            return
        yield from ((name, statement) for name in names if name.partition(".")[0] in OWN_PACKAGES)


def _existing(module: str, name: str) -> str:
    return f"{module}.{name}" if f"{module}.{name}" in MODULE_NAMES else module


def _files() -> list[SourceFile]:
    found = []
    for root in SOURCE_ROOTS:
        for path in sorted((ROOT / root).rglob("*.py")):
            parts = path.relative_to(ROOT / root).with_suffix("").parts
            found.append(SourceFile(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)))
    return found


FILES = _files()
MODULE_NAMES = frozenset(file.module for file in FILES)
