"""Files and functions stay short."""

import ast

from sources import FILES, ROOT, SourceFile

LONGEST_FILE = 700
LONGEST_BODY = 60
MEDIAN_BODY = 8


def body_lengths(file: SourceFile) -> dict[str, int]:
    """The lines of each function without its docstring and its head."""
    lengths = {}
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lengths[f"{node.name}:{node.lineno}"] = body[-1].end_lineno - body[0].lineno + 1 if body else 0
    return lengths


def test_a_file_can_be_read_in_one_go() -> None:
    """No module is longer than the limit."""
    lengths = {file.module: len(file.text.splitlines()) for file in FILES}
    assert {module: length for module, length in lengths.items() if length > LONGEST_FILE} == {}


def test_a_file_of_tests_can_be_read_in_one_go() -> None:
    """No file of tests, benchmarks or the demo is longer either."""
    files = [file for folder in ("tests", "bench", "demo", "docs") for file in (ROOT / folder).rglob("*.py")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_a_function_fits_on_a_page() -> None:
    """No function is longer than the limit."""
    lengths = {f"{file.module}.{name}": length for file in FILES for name, length in body_lengths(file).items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_BODY} == {}


def test_most_functions_are_a_few_lines() -> None:
    """Half of all functions are not longer than the limit for half of them."""
    lengths = sorted(length for file in FILES for length in body_lengths(file).values())
    assert lengths[len(lengths) // 2] <= MEDIAN_BODY
