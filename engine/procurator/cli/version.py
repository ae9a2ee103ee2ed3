"""`procurator version`."""

import platform
from importlib.metadata import version

import click


@click.command("version")
def command() -> None:
    """Print the versions of the product, the language and Python."""
    rows = {
        "Version": version("procurator"),
        "Rego Version": "v1",
        "Python Version": platform.python_version(),
        "Platform": f"{platform.system().lower()}/{platform.machine()}",
    }
    for name, value in rows.items():
        click.echo(f"{name}: {value}")
