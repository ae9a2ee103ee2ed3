"""`procurator parse`."""

from collections.abc import Collection

import click

from procurator.cli.options import format_option, v0_option, v1_option
from procurator.cli.sources import display_name, read_text
from procurator_rules.ast_json import module_json
from procurator_rules.ast_tree import module_tree
from procurator_rules.capabilities import for_version
from procurator_rules.json_text import json_text
from procurator_rules.nodes import Module
from procurator_rules.parser import parse_module

ELEMENTS = ("locations", "comments")


def _elements(_ctx: click.Context, _parameter: click.Parameter, value: str) -> Collection[str]:
    """The elements to include: comments unless they are taken away, and what the list adds."""
    included = {"comments"}
    for item in filter(None, value.split(",")):
        name = item.removeprefix("-")
        if name not in ELEMENTS:
            raise click.BadParameter(f"`{name}` is not one of `locations`, `comments`")
        included = included - {name} if item.startswith("-") else included | {name}
    return included


@click.command("parse")
@click.argument("path")
@format_option("pretty", "json")
@click.option(
    "--json-include",
    default="",
    metavar="ELEMENTS",
    callback=_elements,
    help="Include or leave out: locations, comments. `locations,-comments` has the first and not the second.",
)
@v0_option
@v1_option
def command(path: str, style: str, json_include: Collection[str], v0_compatible: bool) -> None:
    """Print the syntax tree of the policy in PATH; `-` reads standard input."""
    version = 0 if v0_compatible else 1
    module = parse_module(read_text(path), display_name(path), version, for_version(version))
    click.echo(PRINTERS[style](module, json_include), nl=style == "json")


def _json(module: Module, included: Collection[str]) -> str:
    return json_text(module_json(module, locations="locations" in included, comments="comments" in included))


def _tree(module: Module, included: Collection[str]) -> str:
    return module_tree(module, comments="comments" in included)


PRINTERS = {"json": _json, "pretty": _tree}
