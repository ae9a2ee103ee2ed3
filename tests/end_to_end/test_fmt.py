"""`procurator fmt`."""

from pathlib import Path

from command_line import Finished, procurator

UGLY = "package a\np:=1 # one\n"
NEAT = "package a\n\np := 1 # one\n"
OLD = "package a\n\np[x] { x = 1 }\n"


def test_a_policy_is_printed_in_the_canonical_layout(tmp_path: Path) -> None:
    """The file stays as it is."""
    (tmp_path / "a.rego").write_text(UGLY)
    assert procurator("fmt", "a.rego", folder=tmp_path) == Finished(0, NEAT, "")
    assert (tmp_path / "a.rego").read_text() == UGLY


def test_standard_input_is_read_without_a_path() -> None:
    """And for `-`."""
    assert procurator("fmt", stdin=UGLY) == Finished(0, NEAT, "")
    assert procurator("fmt", "-", stdin=UGLY) == Finished(0, NEAT, "")


def test_files_below_a_folder_are_written(tmp_path: Path) -> None:
    """Nothing is printed, and what is in order is not touched."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a.rego").write_text(UGLY)
    (tmp_path / "b/c.rego").write_text(NEAT)
    (tmp_path / "b/c.rego").chmod(0o444)
    (tmp_path / "b/d.txt").write_text(UGLY)
    assert procurator("fmt", "--write", ".", folder=tmp_path) == Finished(0, "", "")
    assert [(tmp_path / name).read_text() for name in ("a.rego", "b/c.rego", "b/d.txt")] == [NEAT, NEAT, UGLY]


def test_names_of_files_that_would_change_are_listed(tmp_path: Path) -> None:
    """With --fail the exit code tells whether there are any."""
    (tmp_path / "a.rego").write_text(UGLY)
    (tmp_path / "b.rego").write_text(NEAT)
    assert procurator("fmt", "-l", ".", folder=tmp_path) == Finished(0, "a.rego\n", "")
    assert procurator("fmt", "-l", "--fail", ".", folder=tmp_path) == Finished(2, "a.rego\n", "")
    assert procurator("fmt", "-l", "--fail", "b.rego", folder=tmp_path) == Finished(0, "", "")


def test_a_file_that_would_change_is_a_failure_when_asked(tmp_path: Path) -> None:
    """It is not printed and not written then."""
    (tmp_path / "a.rego").write_text(UGLY)
    done = procurator("fmt", "--fail", "-w", "a.rego", folder=tmp_path)
    assert done == Finished(2, "", "a.rego: unexpected diff\n")
    assert (tmp_path / "a.rego").read_text() == UGLY


def test_what_would_change_is_printed(tmp_path: Path) -> None:
    """As a unified diff."""
    (tmp_path / "a.rego").write_text("package a\n\np:=1")
    assert procurator("fmt", "-d", "a.rego", folder=tmp_path) == Finished(
        0,
        "--- a.rego\n+++ a.rego\n@@ -1,3 +1,3 @@\n package a\n \n-p:=1\n\\ No newline at end of file\n+p := 1\n",
        "",
    )


def test_versions_are_those_of_opas_flags() -> None:
    """One to read, one or two to print for."""
    assert procurator("fmt", stdin=OLD).code == 2
    assert procurator("fmt", "--v0-compatible", stdin=OLD).output == "package a\n\np[x] {\n\tx = 1\n}\n"
    both = "package a\n\nimport rego.v1\n\np contains x if x = 1\n"
    assert procurator("fmt", "--v0-v1", stdin=OLD).output == both
    assert procurator("fmt", "--rego-v1", stdin=OLD).output == both
    assert procurator("fmt", "--v0-v1", "--v1-compatible", stdin=NEAT).output == (
        "package a\n\nimport rego.v1\n\np := 1 # one\n"
    )
    assert procurator("fmt", "--drop-v0-imports", stdin=both).output == "package a\n\np contains x if x = 1\n"


def test_mistakes_are_reported_together_after_the_rest(tmp_path: Path) -> None:
    """Files that can be read are dealt with."""
    (tmp_path / "a.rego").write_text("package a\n\np := )\n")
    (tmp_path / "b.rego").write_text(UGLY)
    done = procurator("fmt", "-w", ".", folder=tmp_path)
    assert (done.code, done.output) == (2, "")
    assert done.errors.startswith("a.rego:3:6: rego_parse_error: unexpected ) token")
    assert (tmp_path / "b.rego").read_text() == NEAT


def test_what_rego_v1_forbids_is_not_printed() -> None:
    """Names of documents, deprecated functions, imports that hide one another."""
    text = "package a\n\nimport data.b\nimport data.c.b\n\ninput := any([true])\n\nf(data) := x if data := 1\n"
    done = procurator("fmt", stdin=text)
    assert (done.code, done.output) == (2, "")
    assert [line.split(": ", 2)[2] for line in done.errors.splitlines() if line.startswith("<stdin>:")] == [
        "import must not shadow import data.b",
        "rules must not shadow input (use a different rule name)",
        "deprecated built-in function calls in expression: any",
        "args must not shadow data (use a different variable name)",
        "variables must not shadow data (use a different variable name)",
    ]
