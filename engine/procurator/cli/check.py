"""`procurator check`."""

from functools import partial
from typing import Final

import click

from procurator.cli.bundles import check_roots, read_bundle
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
from procurator.cli.sources import each, parse_policies, policy_texts
from procurator_rules.capabilities import Capabilities
from procurator_rules.checks import Options, check
from procurator_rules.nodes import Module
from procurator_rules.parser import parse_module
