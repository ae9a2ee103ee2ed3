"""A person whose ID token the gateway of a benchmark accepts: the keys of the issuer, and tokens signed with them."""

import json
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from jwt.algorithms import ECAlgorithm

LOGIN = "https://login.example"


def new_issuer(jwks: Path) -> EllipticCurvePrivateKey:
    """A key of an issuer; its public half goes into a file."""
    key = generate_private_key(SECP256R1())
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwks.write_text(json.dumps({"keys": [{**jwk, "kid": "k1", "alg": "ES256", "key_ops": ["verify"]}]}))
    return key


def id_token(key: EllipticCurvePrivateKey, audience: str, subject: str = "alice") -> str:
    """An ID token, good for ten minutes."""
    now = int(time.time())
    claims = {"iss": LOGIN, "sub": subject, "aud": audience, "iat": now, "exp": now + 600}
    return jwt.encode(claims, key, "ES256", headers={"kid": "k1"})
