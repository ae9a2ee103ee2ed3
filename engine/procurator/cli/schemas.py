"""The JSON schemas that `--schema` names: one file, or a folder in which each file is `schema.<its path>`."""

from pathlib import Path

from procurator.cli.sources import STDIN, display_name, files_below, read_text
from procurator_rules.checks.types import SchemaSet

YAML_SUFFIXES = (".yaml", ".yml")


def load_schemas(path: str | None) -> SchemaSet | None:
    """The schemas by what stands behind `schema` in annotations; a single file is that of `input`.

    Raises:
        PolicyError: a file cannot be read, or is neither JSON nor YAML.
    """
    if path is None:
        return None
    if path == STDIN or not Path(path).is_dir():
        return {(): _document(path)}
    return {Path(file).relative_to(path).with_suffix("").parts: _document(file) for file in files_below(path)}


def _document(path: str) -> object:
    from procurator.data.documents import read_json, read_yaml

    read = read_yaml if path.endswith(YAML_SUFFIXES) else read_json
    return read(read_text(path), display_name(path))
