"""The frame of the command line: help, names, environment, exit codes."""

from pathlib import Path

from command_line import Finished, procurator


def test_help_lists_every_command_and_the_exit_codes() -> None:
    """A user who asks finds all there is."""
    done = procurator("--help")
    assert (done.code, done.errors) == (0, "")
    listed = [line.split()[0] for line in done.output.partition("Commands:\n")[2].splitlines()]
    assert listed == sorted(listed)
    assert {"capabilities", "check", "fmt", "parse", "version"} <= set(listed)
    assert "0 fine, 1 the thing asked about is not so, 2 an error" in " ".join(done.output.split())


def test_the_version_is_told_in_one_line_and_in_full() -> None:
    """`--version` is for people, `version` for reports."""
    assert procurator("--version") == Finished(0, "procurator 0.1.0\n", "")
    done = procurator("version")
    names = [line.partition(":")[0] for line in done.output.splitlines()]
    assert (done.code, names) == (0, ["Version", "Rego Version", "Python Version", "Platform"])


def test_an_unknown_command_is_an_error_with_the_nearest_name() -> None:
    """A slip of the finger is not left to guesswork."""
    done = procurator("prase", "x.rego")
    assert (done.code, done.output) == (2, "")
    assert done.errors.endswith("Error: no such command `prase` (hint: did you mean `parse`?)\n")


def test_an_unknown_option_is_an_error_with_the_nearest_name() -> None:
    """Options are not ignored."""
    done = procurator("parse", "--fromat", "json", "x.rego")
    assert (done.code, done.output) == (2, "")
    assert "--fromat" in done.errors
    assert "--format" in done.errors


def test_an_option_is_set_in_the_environment_as_opa_spells_it(tmp_path: Path) -> None:
    """PROCURATOR, the command and the flag; the command line has the last word; an empty variable is none."""
    (tmp_path / "a.rego").write_text("package a\n")

    def first_line(*flags: str, **environment: str) -> str:
        return procurator("parse", *flags, "a.rego", folder=tmp_path, environment=environment).output.splitlines()[0]

    assert first_line() == "module"
    assert first_line(PROCURATOR_PARSE_FORMAT="json") == "{"
    assert first_line("-f", "pretty", PROCURATOR_PARSE_FORMAT="json") == "module"
    assert first_line(PROCURATOR_PARSE_FORMAT="") == "module"


def test_a_variable_that_sets_nothing_is_an_error() -> None:
    """A misspelt variable would otherwise leave a check undone."""
    done = procurator("parse", "a.rego", environment={"PROCURATOR_PARSE_FROMAT": "json"})
    assert (done.code, done.output) == (2, "")
    assert done.errors.endswith(
        "Error: no option of `parse` is set by `PROCURATOR_PARSE_FROMAT`"
        " (hint: did you mean `PROCURATOR_PARSE_FORMAT`?)\n"
    )


def test_a_value_that_an_option_does_not_take_is_an_error() -> None:
    """The values it takes are listed."""
    done = procurator("parse", "-f", "yaml", "a.rego")
    assert (done.code, done.output) == (2, "")
    assert done.errors.endswith("Invalid value for '-f' / '--format': 'yaml' is not one of 'pretty', 'json'.\n")
