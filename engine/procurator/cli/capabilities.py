"""`procurator capabilities`."""

import click

from procurator.cli.language import RELEASES, capabilities_of_file, capabilities_of_release
from procurator.cli.options import v0_option
from procurator_rules.capabilities import Capabilities, for_version
from procurator_rules.json_text import json_text


@click.command("capabilities")
@click.option("--current", is_flag=True, help="Print what this version has.")
@click.option("--version", "release", metavar="NAME", help="Print what a release of OPA had.")
@click.option("--file", "path", metavar="PATH", help="Print what a JSON file says, in OPA's format.")
@v0_option
def command(current: bool, release: str | None, path: str | None, v0_compatible: bool) -> None:
    """Print the keywords, features and built-ins known, as JSON that other commands take for `--capabilities`.

    Without an option it lists the names that `--version` takes.
    """
    version = 0 if v0_compatible else 1
    if release is not None:
        _show(capabilities_of_release(release, version))
    elif path is not None:
        _show(capabilities_of_file(path))
    elif current:
        _show(for_version(version))
    else:
        click.echo("\n".join(RELEASES))


def _show(capabilities: Capabilities) -> None:
    click.echo(json_text(capabilities.to_json()))
