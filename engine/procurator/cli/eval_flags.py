"""The flags of `procurator eval`: those of OPA, and a few of our own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from procurator.builtins.go_duration import parse_duration
from procurator.builtins.go_time import TimeError
from procurator.cli.options import (
    capabilities_option,
    format_option,
    ignore_option,
    schema_option,
    strict_option,
    v0_option,
    v1_option,
)

FORMATS: Final = ("json", "values", "bindings", "pretty", "source", "raw", "discard")
PROFILE_ORDER: Final = ("total_time_ns", "num_eval", "num_redo", "num_gen_expr", "file", "line")
PROFILE_LIMIT: Final = 10


@dataclass(frozen=True)
class Flags:
    """What the command line asks for; the names are those of the options."""

    query: str | None
    style: str
    data: tuple[str, ...]
    bundle: tuple[str, ...]
    input: str | None
    stdin_input: bool
    stdin: bool
    package: str | None
    imports: tuple[str, ...]
    partial: bool
    unknowns: tuple[str, ...]
    fail: bool
    fail_defined: bool
    strict: bool
    strict_builtin_errors: bool
    show_builtin_errors: bool
    timeout: float
    count: int
    metrics: bool
    instrument: bool
    profile: bool
    profile_sort: tuple[str, ...]
    profile_limit: int | None
    coverage: bool
    explain: str
    ignore: tuple[str, ...]
    schema: str | None
    capabilities: str | None
    optimize: int
    target: str
    v0_compatible: bool
    show_code: bool
    allow_host: tuple[str, ...]
    runtime_env: bool

    @property
    def rego_version(self) -> int:
        """The version of Rego of policies that do not say so."""
        return 0 if self.v0_compatible else 1

    @property
    def profiles(self) -> bool:
        """Whether a profile is asked for, be it by one of its details."""
        return self.profile or bool(self.profile_sort) or self.profile_limit is not None

    @property
    def measures(self) -> bool:
        """Whether times are asked for."""
        return self.metrics or self.instrument or self.profiles

    @property
    def explains(self) -> bool:
        """Whether an explanation is asked for."""
        return self.explain != "off"

    @property
    def instrumented(self) -> bool:
        """Whether the course of the evaluation is asked for, not its outcome alone."""
        return self.profiles or self.coverage or self.explains


def check(flags: Flags) -> None:
    """Refuse flags that go together in no way.

    Raises:
        click.UsageError: the first refusal.
    """
    for refused, message in _refusals(flags):
        if refused:
            raise click.UsageError(message)


def _refusals(flags: Flags) -> Sequence[tuple[object, str]]:
    return (
        (flags.query is not None and flags.stdin, "specify query argument or --stdin but not both"),
        (flags.query is None and not flags.stdin, "specify query argument or --stdin"),
        (flags.stdin and flags.stdin_input, "specify --stdin or --stdin-input but not both"),
        (flags.stdin_input and flags.input is not None, "specify --stdin-input or --input but not both"),
        (flags.fail and flags.fail_defined, "specify --fail or --fail-defined but not both"),
        (flags.partial or flags.unknowns, "partial evaluation is not supported: all of input and data must be known"),
        (flags.style == "source", "invalid output format for evaluation"),
        (flags.optimize, "optimized bundles are not supported: policies are always compiled, use `-O 0`"),
        (flags.target != "rego", "policies as WebAssembly are not supported, use `--target rego`"),
        (
            flags.strict_builtin_errors and flags.show_builtin_errors,
            "cannot use --show-builtin-errors with --strict-builtin-errors, which ends at the first error",
        ),
    )


def _seconds(_ctx: click.Context, _parameter: click.Parameter, text: str) -> float:
    """The seconds of a duration as Go writes it."""
    try:
        return parse_duration(text) / 1e9
    except TimeError:
        raise click.BadParameter(f"`{text}` is no duration such as `500ms` or `1m30s`") from None


def _profile_order(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    wanted = tuple(part for value in values for part in value.split(","))
    for name in wanted:
        if name not in PROFILE_ORDER:
            raise click.BadParameter(f"`{name}` is not one of {', '.join(PROFILE_ORDER)}")
    return wanted


OPTIONS: Final[Sequence[Callable[[Callable[..., Any]], Callable[..., Any]]]] = (
    click.argument("query", required=False),
    click.option("-d", "--data", multiple=True, metavar="PATH", help="Load a policy, a document or a folder of both."),
    click.option("-b", "--bundle", multiple=True, metavar="PATH", help="Load a bundle: an archive or its folder."),
    click.option("-i", "--input", metavar="PATH", help="Set the file of the input document, JSON or YAML."),
    click.option("-I", "--stdin-input", is_flag=True, help="Read the input document from standard input."),
    click.option("--stdin", is_flag=True, help="Read the query from standard input."),
    format_option(*FORMATS),
    click.option("--package", metavar="PATH", help="Set the package whose rules the query can name."),
    click.option("--import", "imports", multiple=True, metavar="PATH", help="Import a path into the query."),
    click.option("--fail", is_flag=True, help="End with exit code 1 if the result is undefined or empty."),
    click.option("--fail-defined", is_flag=True, help="End with exit code 1 if the result is defined and not empty."),
    strict_option,
    click.option("--strict-builtin-errors", is_flag=True, help="End at the first error of a built-in function."),
    click.option("--show-builtin-errors", is_flag=True, help="Report the errors of built-in functions, and go on."),
    click.option("--timeout", default="0", metavar="DURATION", callback=_seconds, help="Stop after this time."),
    click.option("--count", type=click.IntRange(min=1), default=1, help="Repeat the evaluation, for its times."),
    click.option("--metrics", is_flag=True, help="Report times."),
    click.option("--instrument", is_flag=True, help="Report more times."),
    click.option("--profile", is_flag=True, help="Report the time of each line."),
    click.option(
        "--profile-sort",
        multiple=True,
        metavar="NAMES",
        callback=_profile_order,
        help=f"Sort the profile by {', '.join(PROFILE_ORDER)}.",
    ),
    click.option("--profile-limit", type=int, help="Show so many lines of the profile; 10 by default, 0 for all."),
    click.option("--coverage", is_flag=True, help="Report which lines were evaluated."),
    click.option(
        "--explain",
        type=click.Choice(["off", "full", "notes", "fails"]),
        default="off",
        help="Show the course of the evaluation.",
    ),
    ignore_option,
    schema_option,
    capabilities_option,
    v0_option,
    v1_option,
    click.option("--show-code", is_flag=True, help="Print the Python code of the query instead of running it."),
    click.option(
        "--allow-host", multiple=True, metavar="HOST", help="Let policies reach a host; `*` stands for all hosts."
    ),
    click.option("--runtime-env", is_flag=True, help="Let `opa.runtime()` show the environment of the process."),
    click.option("-p", "--partial", is_flag=True, hidden=True),
    click.option("-u", "--unknowns", multiple=True, hidden=True),
    click.option("-O", "--optimize", type=int, default=0, hidden=True),
    click.option("-t", "--target", type=click.Choice(["rego", "wasm"]), default="rego", hidden=True),
    # OPA takes these too; they change how it works, not what comes of it.
    click.option("--pretty-limit", type=int, hidden=True, expose_value=False),
    click.option("-e", "--entrypoint", multiple=True, hidden=True, expose_value=False),
    click.option("--coverage-runs", multiple=True, hidden=True, expose_value=False),
    click.option("--disable-inlining", multiple=True, hidden=True, expose_value=False),
    click.option("--shallow-inlining", is_flag=True, hidden=True, expose_value=False),
    click.option("--nondeterminstic-builtins", is_flag=True, hidden=True, expose_value=False),
    click.option("--disable-indexing", is_flag=True, hidden=True, expose_value=False),
    click.option("--disable-early-exit", is_flag=True, hidden=True, expose_value=False),
    click.option("--optimize-store-for-read-speed", is_flag=True, hidden=True, expose_value=False),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function all options of the command, in the order of the table."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
