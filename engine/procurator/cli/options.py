"""Options that several commands share, worded and spelt as OPA's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_FORMAT: Final = "procurator.format"


def _note_format(ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    ctx.meta[_FORMAT] = value
    return value


def error_format(ctx: click.Context) -> str:
    """The output format of the command that ran under ctx; `pretty` where it has no say in it."""
    return str(ctx.meta.get(_FORMAT, "pretty"))


def format_option(*formats: str, short: str | None = "-f") -> Decorator:
    """`--format`, the first one given being the default; errors are printed in that format too."""
    return click.option(
        *([short] if short else []),
        "--format",
        "style",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        callback=_note_format,
        is_eager=True,
        help="Set the output format.",
    )


def _comma_separated(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for value in values for part in value.split(",") if part)


ignore_option: Final = click.option(
    "--ignore",
    multiple=True,
    metavar="NAMES",
    callback=_comma_separated,
    help="Set file and folder names to leave out, for example '.*,*_test.rego'. Can be given more than once.",
)

bundle_option: Final = click.option("-b", "--bundle", is_flag=True, help="Load the paths as bundles or their roots.")

strict_option: Final = click.option(
    "-S", "--strict", is_flag=True, help="Report unused variables, arguments and imports too."
)

schema_option: Final = click.option(
    "-s", "--schema", metavar="PATH", help="Set the JSON schema of the input, or a folder of schemas."
)

max_errors_option: Final = click.option(
    "-m",
    "--max-errors",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Stop after this many; 0: never.",
)

capabilities_option: Final = click.option(
    "--capabilities",
    metavar="VERSION|FILE",
    help="Set a release of OPA, or a JSON file of capabilities.",
)


v0_option: Final = click.option(
    "--v0-compatible", is_flag=True, help="Read policies as Rego v0, the language before OPA 1.0."
)

v1_option: Final = click.option(
    "--v1-compatible", is_flag=True, hidden=True, expose_value=False, help="Read policies as Rego v1: the default."
)

config_option: Final = click.option(
    "-c",
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="Set the configuration of the gateway.",
)
