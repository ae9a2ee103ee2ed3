"""`procurator check`."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial

import click

from procurator.cli.language import chosen_capabilities
from procurator.cli.options import (
    bundle_option,
    capabilities_option,
    format_option,
    ignore_option,
    max_errors_option,
    schema_option,
    strict_option,
    v0_option,
    v1_option,
)
from procurator.cli.schemas import load_schemas
from procurator.cli.sources import PolicySources, each, policy_texts
from procurator_rules.checks import CheckOptions, check


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option("-c", "--config", metavar="FILE", help="Check the configuration of a gateway, and what it names.")
@format_option("pretty", "json")
@strict_option
@schema_option
@bundle_option
@max_errors_option
@capabilities_option
@ignore_option
@v0_option
@v1_option
@click.option("--v0-v1", "--rego-v1", is_flag=True, help="Ask that policies are fit for Rego v0 and v1 alike.")
def command(
    paths: Sequence[str],
    config: str | None,
    style: str,  # noqa: ARG001 (errors are reported in it, by the frame)
    strict: bool,
    schema: str | None,
    bundle: bool,
    max_errors: int,
    capabilities: str | None,
    ignore: Sequence[str],
    v0_compatible: bool,
    v0_v1: bool,
) -> None:
    """Check the policies in PATHS for mistakes; nothing is printed if there are none.

    A path is a policy, a folder of policies, or `-` for standard input. With `--config` the settings of a gateway are
    checked too, the files that they name, and whether its policies compile and have a rule that decides.
    """
    if config is not None:
        _check_config(config)
    if not paths:
        for_paths = any((strict, schema, bundle, capabilities, ignore, v0_compatible, v0_v1))
        if config is None or for_paths:
            raise click.UsageError("specify PATHS" if for_paths else "specify PATHS or --config")
        return
    sources = _bundles(paths, ignore) if bundle else PolicySources(policy_texts(paths, ignore))
    options = partial(
        CheckOptions, strict=strict, schemas=load_schemas(schema), max_errors=max_errors, path_exists=sources.holds
    )
    for version in (1, 0) if v0_v1 else (0 if v0_compatible else 1,):
        allowed = chosen_capabilities(capabilities, version)
        check(sources.parsed(version, allowed), options(capabilities=allowed))


def _check_config(path: str) -> None:
    """See that a gateway can start; it is made of much that other checks do not need."""
    from procurator.governance.assembly.checking import check_config

    check_config(path)


def _bundles(paths: Sequence[str], ignore: Sequence[str]) -> PolicySources:
    """The policies and the data of bundles; data is loaded with much that other checks do not need."""
    from procurator.data.bundle import read_bundle
    from procurator.data.documents import merge

    texts: dict[str, str] = {}
    versions: dict[str, int] = {}
    data: dict[str, object] = {}
    for path, bundle in each(paths, partial(read_bundle, skip_verification=True), "reading").items():
        kept = [name for name in bundle.modules if not _is_ignored(name, ignore)]
        texts.update({f"{path}/{name}": bundle.modules[name] for name in kept})
        versions.update({f"{path}/{name}": bundle.rego_versions[name] for name in kept})
        merge(data, bundle.data)
    return PolicySources(texts, versions, data)


def _is_ignored(name: str, ignore: Sequence[str]) -> bool:
    return any(fnmatchcase(part, pattern) for part in name.split("/") for pattern in ignore)
