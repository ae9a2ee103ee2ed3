"""Whether a gateway can start with a configuration: the files that it names, and its policies."""

from __future__ import annotations

from pathlib import Path

from procurator.data.documents import file_path, split_prefix
from procurator.governance.assembly.policies import load_engine
from procurator.governance.config.loading import config_of, load_text, shown
from procurator.governance.config.settings import GatewayConfig
from procurator.governance.config.text import ConfigText, Place, config_error
from procurator.governance.steps.policy import PolicyStep
from procurator_rules.errors import PolicyError, PolicyErrors, raise_all


def check_config(path: str | Path) -> GatewayConfig:
    """See that a gateway can start with a file: settings, the files they name, the policies.

    Raises:
        PolicyError: something is wrong; PolicyErrors for several mistakes.
    """
    text = load_text(path)
    config = config_of(text, path)
    missing: list[PolicyError] = [
        config_error(f"`{shown(place)}`: there is no `{file}`", at=text.value_at(place))
        for place, file in _files(config)
        if not config.resolve(file).exists()
    ]
    raise_all([*missing, *_policy_mistakes(config, text, bool(missing))])
    return config


def _files(config: GatewayConfig) -> list[tuple[Place, str]]:
    """The files and folders that have to be there, and the settings that name them."""
    policies = [(("policies", number), path) for number, path in enumerate(config.policies)]
    issuers = [(("issuers", number, "jwks"), issuer.jwks) for number, issuer in enumerate(config.issuers)]
    agents = [(("agents", number, "key_file"), agent.key_file) for number, agent in enumerate(config.agents)]
    own = [("signing", config.keys.signing), ("checkpoint", config.keys.checkpoint)]
    bundle = None if config.bundle_key is None else config.bundle_key.key_file
    named: list[tuple[Place, str | None]] = [
        *((place, file_path(split_prefix(path)[1])) for place, path in policies),
        *((place, source) for place, source in issuers if "://" not in source),
        *agents,
        (("bundle_key", "key_file"), bundle),
        *((("keys", name), None if config.keys.create else file) for name, file in own),
        (("state", "path"), str(Path(config.state.path).parent)),
    ]
    return [(place, file) for place, file in named if file is not None]


def _policy_mistakes(config: GatewayConfig, text: ConfigText, is_incomplete: bool) -> list[PolicyError]:
    if is_incomplete or not config.policies:
        return []
    try:
        step = PolicyStep(load_engine(config), config.entrypoint)
    except PolicyError as error:
        return [*error.errors] if isinstance(error, PolicyErrors) else [error]
    if step.is_defined:
        return []
    hint = "set `entrypoint` to a rule that gives an object, or to a package with `allow`"
    at = text.value_at(("entrypoint",) if ("entrypoint",) in text.values else ("policies",))
    return [config_error(f"no rule of the policies stands at `{config.entrypoint}`", at=at, hint=hint)]
