"""The command `procurator`: finds the command asked for, and turns what went wrong into output and an exit code."""

import importlib
import os
import sys
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

import click

from procurator.cli.options import error_format
from procurator.cli.report import report
from procurator_rules.errors import PolicyError

FINE: Final = 0
NOT_SO: Final = 1
ERROR: Final = 2
INTERRUPTED: Final = 130
ENVIRONMENT_PREFIX: Final = "PROCURATOR"


class Entry(NamedTuple):
    """Where a command is defined, and its line in the list of commands."""

    module: str
    summary: str


COMMANDS: Final = {
    "approvals": Entry("procurator.cli.approvals", "Show the actions that wait for a person; approve or deny them."),
    "audit": Entry("procurator.cli.audit", "Read the audit log of a gateway, and check that it is whole."),
    "budget": Entry("procurator.cli.budget", "Show what prompts spend; let a paused one go on, or end it."),
    "capabilities": Entry("procurator.cli.capabilities", "Print the keywords, features and built-ins known."),
    "check": Entry("procurator.cli.check", "Check policies for mistakes without running them."),
    "decide": Entry("procurator.cli.decide", "Decide whether an agent may carry out an action."),
    "eval": Entry("procurator.cli.eval", "Evaluate a query over policies, data and an input."),
    "fmt": Entry("procurator.cli.fmt", "Print policies in the canonical layout."),
    "parse": Entry("procurator.cli.parse", "Print the syntax tree of a policy."),
    "token": Entry("procurator.cli.token", "Look at, derive and revoke tokens; register agents; stop them."),
    "version": Entry("procurator.cli.version", "Print the versions of the product, the language and Python."),
}


class Commands(click.Group):
    """The commands of the table, each imported when it is invoked; what goes wrong in one is reported here."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names in the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from its own module; its function there is called `command`."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name].module).command
        _read_environment(cmd_name, command, ctx)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that args begin with; the nearest name is offered for one that does not exist."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(f"no such command `{name}`{_nearest(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, so that help loads none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a mistake in a policy or an input is reported in the format asked for."""
        try:
            return super().invoke(ctx)
        except PolicyError as error:
            report(error, error_format(ctx))
            ctx.exit(ERROR)


def _read_environment(name: str, command: click.Command, ctx: click.Context) -> None:
    """Let each option be set by a variable called as OPA calls its own: PROCURATOR_CHECK_MAX_ERRORS."""
    prefix = f"{ENVIRONMENT_PREFIX}_{name.upper()}_"
    known = _variables(prefix, command)
    for variable, option in known.items():
        option.envvar = variable
    for variable in os.environ:
        if variable.startswith(prefix) and variable not in known:
            raise click.UsageError(f"no option of `{name}` is set by `{variable}`{_nearest(variable, known)}", ctx)


def _variables(prefix: str, command: click.Command) -> dict[str, click.Option]:
    """The options of a command, and of the commands below it, by the variables that set them."""
    if isinstance(command, click.Group):
        below = [_variables(f"{prefix}{name.upper()}_", one) for name, one in command.commands.items()]
        return {variable: option for options in below for variable, option in options.items()}
    options = [option for option in command.params if isinstance(option, click.Option)]
    flags = [max(option.opts, key=len).removeprefix("--") for option in options]
    return {prefix + flag.upper().replace("-", "_"): option for flag, option in zip(flags, options, strict=True)}


def _nearest(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f" (hint: did you mean `{close[0]}`?)" if close else ""


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="procurator", message="procurator %(version)s")
def procurator() -> None:
    """A policy engine for fleets of AI agents, compatible with Rego.

    Every option can be set in the environment too: PROCURATOR_CHECK_STRICT=true is `procurator check --strict`.
    Exit codes: 0 fine, 1 the thing asked about is not so, 2 an error.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = procurator.main(arguments, prog_name="procurator", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return ERROR
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left; a second write at shutdown would say so on standard error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    return code if isinstance(code, int) else FINE
