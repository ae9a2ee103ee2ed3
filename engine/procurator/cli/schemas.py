"""The JSON schemas that `--schema` names: one file, or a folder in which each file is `schema.<its path>`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from procurator.cli.sources import LOAD, STDIN, files_below, read_text
from procurator_rules.errors import PolicyError
from procurator_rules.spans import Source

SchemaPath: TypeAlias = tuple[str, ...]


def load_schemas(path: str | None) -> Mapping[SchemaPath, object]:
    """The schemas by the path under which annotations name them; a single file is `schema` itself.

    Raises:
        PolicyError: a file cannot be read or is no JSON.
    """
    if path is None:
        return {}
    if path == STDIN or not Path(path).is_dir():
        return {("schema",): _document(path)}
    return {_schema_path(Path(path), Path(file)): _document(file) for file in files_below(path)}


def _schema_path(folder: Path, file: Path) -> SchemaPath:
    return ("schema", *file.relative_to(folder).with_suffix("").parts)


def _document(path: str) -> object:
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = Source(path, text).location(error.pos)
        raise PolicyError(LOAD, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", at=at) from None
    except RecursionError:
        raise PolicyError(LOAD, "nested too deeply", at=Source(path, text).location(0)) from None
