"""The persons and agents that a configuration lets in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from procurator.governance.config.settings import Agent, GatewayConfig, Issuer
from procurator.governance.config.text import ConfigError, config_error
from procurator.governance.identity.agents import Agents
from procurator.governance.identity.persons import Persons, TrustedIssuer
from procurator.governance.refusals import Refused
from procurator.governance.signing.jwks import Fetch, Jwks
from procurator.governance.signing.jwks_source import SourceError, check_source, fetch_source
from procurator.governance.signing.keys import PublicKey, load_public, public_from_jwk
from procurator.governance.store import Store

DYNAMIC: Final = "dynamic"
SUPPORTED: Final = "supported"


def persons_of(config: GatewayConfig, *, fetch: Fetch = fetch_source) -> Persons:
    """What verifies tokens of persons as a configuration says; nothing is fetched yet.

    Raises:
        ConfigError: the keys of an issuer could never be fetched.
    """
    issuers = [_issuer(config, number, fetch) for number in range(len(config.issuers))]
    return Persons(issuers, impersonation=config.identity.impersonation == SUPPORTED)


def agents_of(config: GatewayConfig, store: Store, *, gateway_keys: Iterable[PublicKey] = ()) -> Agents:
    """The agents of a store, and those that a configuration names.

    Args:
        config: the configuration.
        store: the file of state.
        gateway_keys: keys that no agent may have.

    Raises:
        ConfigError: an agent has a key that cannot be read, or that another one has.
        StoreError: the store could not be read.
    """
    static = [(agent.id, _key(config, number)) for number, agent in enumerate(config.agents)]
    try:
        return Agents(
            store,
            static=static,
            dynamic=config.identity.agent_registration == DYNAMIC,
            gateway_keys=gateway_keys,
            audience=config.gateway.audience,
            window=config.proof.window_seconds,
        )
    except Refused as error:
        raise _mistake("agents", error) from None


def _issuer(config: GatewayConfig, number: int, fetch: Fetch) -> TrustedIssuer:
    settings: Issuer = config.issuers[number]
    source = settings.jwks if "://" in settings.jwks else str(config.resolve(settings.jwks))
    try:
        check_source(source)
    except SourceError as error:
        raise config_error(f"`issuers[{number}].jwks`: {error}") from None
    keys = Jwks(source, fetch=fetch, cache_seconds=settings.cache_seconds, floor_seconds=settings.refetch_floor_seconds)
    return TrustedIssuer(
        settings.issuer,
        settings.audience,
        keys,
        settings.algorithms,
        frozenset(settings.authorized_parties),
        settings.claims,
        settings.clock_skew_seconds,
    )


def _key(config: GatewayConfig, number: int) -> PublicKey:
    settings: Agent = config.agents[number]
    try:
        if settings.key_file is None:
            return public_from_jwk(settings.jwk)
        return load_public(config.resolve(settings.key_file))
    except Refused as error:
        raise _mistake(f"agents[{number}]", error) from None
    except OSError as error:
        problem = (error.strerror or "cannot be read").lower()
        raise config_error(f"`agents[{number}].key_file`: {problem}: `{settings.key_file}`") from None


def _mistake(place: str, error: Refused) -> ConfigError:
    return config_error(f"`{place}`: {error.detail}")
