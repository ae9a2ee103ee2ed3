"""What the command line loads: starting is quick because most of the product stays on disk."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "asyncio",
    "cryptography",
    "email",
    "graphql",
    "http",
    "importlib.metadata",
    "jsonschema",
    "jwt",
    "msgpack",
    "multiprocessing",
    "pydantic",
    "re2",
    "rich",
    "ruamel",
    "sqlite3",
    "ssl",
    "urllib.request",
    "xml",
}
"""Packages that take tens of milliseconds to load, or bring others that do."""

ENGINE = {"procurator.builtins", "procurator.compile", "procurator.engine", "procurator.governance"}


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    script = (
        "import sys\nfrom procurator.cli.main import main\n"
        f"code = main({list(arguments)!r})\nprint('|'.join(sys.modules), file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, check=True, timeout=60)
    return set(done.stderr.decode().strip().split("|"))


@pytest.mark.parametrize("arguments", [["check", "."], ["parse", "a.rego"], ["--help"], ["capabilities"]])
def test_commands_of_the_language_load_neither_the_engine_nor_anything_heavy(
    arguments: list[str], tmp_path: Path
) -> None:
    """Three files are checked in a fraction of a second; `make bench` measures it."""
    for name in "abc":
        (tmp_path / f"{name}.rego").write_text(f"package {name}\n\nallow if input.x in [1, 2]\n")
    modules = loaded(tmp_path, *arguments)
    tops = {name for module in modules for name in (module, module.partition(".")[0])}
    assert tops & HEAVY == set()
    assert {module for module in modules if any(module.startswith(name) for name in ENGINE)} == set()


def test_who_reads_the_log_waits_for_no_policies(tmp_path: Path) -> None:
    """Only `audit replay` needs the settings, and what compiles policies."""
    modules = loaded(tmp_path, "audit", "query", "--help")
    assert {"procurator.cli.audit", "procurator.governance.audit.log"} <= modules
    assert (
        modules & {"pydantic", "procurator.engine", "procurator.compile", "procurator.governance.config.settings"}
        == set()
    )


def test_help_loads_no_command(tmp_path: Path) -> None:
    """The list of commands is a table."""
    assert {module for module in loaded(tmp_path, "--help") if module.startswith("procurator_rules.parser")} == set()


def test_metadata_blocks_load_the_reader_of_yaml_when_there_are_some(tmp_path: Path) -> None:
    """Most policies have none."""
    (tmp_path / "a.rego").write_text("# METADATA\n# title: yes\npackage a\n")
    assert "ruamel.yaml" in loaded(tmp_path, "check", "a.rego")
