"""The policies of a gateway, as its configuration names them."""

from __future__ import annotations

from procurator.data.documents import read_bytes
from procurator.data.signatures import Verification, VerificationKey
from procurator.engine import Engine
from procurator.governance.config.settings import GatewayConfig
from procurator.limits import Limits
from procurator_rules.parser import decode


def load_engine(config: GatewayConfig) -> Engine:
    """The policies and documents of a gateway, within its limits.

    A built-in that fails ends the evaluation: were it undefined, as it is in Rego, `not` would make a permit of it.

    Raises:
        PolicyError: something cannot be read, or a policy is wrong.
    """
    limits = Limits(steps=config.limits.steps, seconds=config.limits.seconds)
    verification = _verification(config)
    return Engine.from_paths(*config.policy_paths, limits=limits, verification=verification, strict_builtin_errors=True)


def _verification(config: GatewayConfig) -> Verification | None:
    key = config.bundle_key
    if key is None:
        return None
    path = config.resolve(key.key_file)
    pem = decode(read_bytes(path), str(path))
    return Verification({key.key_id: VerificationKey(pem, key.algorithm, key.scope)}, key.key_id, key.scope)
