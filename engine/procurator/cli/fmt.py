"""`procurator fmt`."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final

import click

from procurator.cli.fmt_checks import v1_problems
from procurator.cli.language import chosen_capabilities
from procurator.cli.options import capabilities_option, v0_option
from procurator.cli.sources import STDIN, display_name, each, policy_files, read_text
from procurator_rules.capabilities import Capabilities, for_version
from procurator_rules.errors import PolicyError, raise_all
from procurator_rules.parser import parse_module
from procurator_rules.printer import Target, format_module

ERROR: Final = 2
KEYWORDS_IN_REFS: Final = "keywords_in_refs"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every policy.

    Attributes:
        rego_version: the version the policies are written in.
        target: the versions that must be able to read the result.
        capabilities: what the policies may use.
        check_result: whether the result is parsed.
    """

    rego_version: int
    target: Target
    capabilities: Capabilities
    check_result: bool

    def formatted(self, text: str, name: str) -> str:
        """A policy in the canonical layout.

        Raises:
            PolicyError: the text is no policy of the version, or cannot be one of the target; PolicyErrors for several
                mistakes.
        """
        module = parse_module(text, name, self.rego_version, self.capabilities)
        if self.target.newest >= 1:
            raise_all(v1_problems(module))
        printed = format_module(module, self.target)
        if self.check_result:
            self._check(printed, name)
        return printed

    def _check(self, printed: str, name: str) -> None:
        try:
            parse_module(printed, f"{name} (formatted)", self.target.oldest, self.capabilities)
        except PolicyError as error:
            message = f"`{name}` was formatted, but the result is invalid: {error.message}"
            hint = "look at it with `--check-result=false`, and please report this"
            raise PolicyError(error.code, message, at=error.location, hint=hint) from error


@click.command("fmt")
@click.argument("paths", nargs=-1)
@click.option("-w", "--write", is_flag=True, help="Write the result to the file it came from.")
@click.option("-l", "--list", "only_list", is_flag=True, help="Only print the names of files that would change.")
@click.option("-d", "--diff", "only_diff", is_flag=True, help="Only print what would change.")
@click.option("--fail", is_flag=True, help="End with exit code 2 if a file would change.")
@click.option(
    "--check-result",
    type=bool,
    default=True,
    is_flag=False,
    flag_value=True,
    show_default=True,
    help="Parse the result to be sure of it.",
)
@click.option("--drop-v0-imports", is_flag=True, help="Leave out imports that Rego v1 has no need of.")
@click.option("--v0-v1", "--rego-v1", "v0_v1", is_flag=True, help="Print what Rego v0 and v1 can both read.")
@capabilities_option
@v0_option
@click.option("--v1-compatible", is_flag=True, help="Read policies as Rego v1: the default, but for --v0-v1.")
def command(
    paths: Sequence[str],
    write: bool,
    only_list: bool,
    only_diff: bool,
    fail: bool,
    check_result: bool,
    drop_v0_imports: bool,
    v0_v1: bool,
    capabilities: str | None,
    v0_compatible: bool,
    v1_compatible: bool,
) -> int:
    """Print the policies in PATHS in the canonical layout, which is that of OPA's formatter.

    A path is a policy or a folder of policies. Without one, or for `-`, standard input is read.
    """
    version = 0 if v0_compatible or (v0_v1 and not v1_compatible) else 1
    allowed = chosen_capabilities(capabilities, version)
    target = Target(
        oldest=0 if v0_v1 or v0_compatible else 1,
        newest=0 if v0_compatible and not v0_v1 else 1,
        drop_imports=drop_v0_imports,
        keywords_in_refs=KEYWORDS_IN_REFS in allowed.features,
    )
    job = Job(version, target, _with_defaults(allowed, version), check_result)

    def work(path: str) -> bool:
        name = display_name(path)
        before = read_text(path)
        after = job.formatted(before, name)
        changed = before != after
        if only_list:
            click.echo(f"{name}\n" * changed, nl=False)
        elif only_diff:
            click.echo(_difference(before, after, name), nl=False)
        elif fail and changed:
            click.echo(f"{name}: unexpected diff", err=True)
        elif not write or path == STDIN:
            click.echo(after, nl=False)
        elif changed:
            Path(path).write_text(after, encoding="utf-8", newline="")
        return changed

    changed = each(policy_files(paths or [STDIN]), work, "formatting")
    return ERROR if fail and any(changed.values()) else 0


def _with_defaults(capabilities: Capabilities, version: int) -> Capabilities:
    """What may be read: the keywords and features of our own release too, as what is printed may do without them."""
    own = for_version(version)
    return Capabilities(
        builtins=capabilities.builtins,
        future_keywords=capabilities.future_keywords | own.future_keywords,
        features=capabilities.features | own.features,
        allow_net=capabilities.allow_net,
        wasm_abi_versions=capabilities.wasm_abi_versions,
    )


def _difference(before: str, after: str, name: str) -> str:
    lines = unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
