"""The public key that checkpoints of the audit log are signed with, from a file."""

import base64
import binascii
import json
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def load_key(path: Path) -> Ed25519PublicKey:
    """The Ed25519 public key in a file: PEM, or a JWK.

    Raises:
        click.ClickException: there is no such key.
    """
    try:
        content = path.read_bytes()
        key = _jwk(content) if content.lstrip().startswith(b"{") else load_pem_public_key(content)
    except (OSError, ValueError, KeyError, binascii.Error) as error:
        raise click.ClickException(f"`{path}` holds no public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise click.ClickException(f"`{path}` holds no Ed25519 key: checkpoints are signed with one")
    return key


def _jwk(content: bytes) -> Ed25519PublicKey:
    members = json.loads(content)
    if (members.get("kty"), members.get("crv")) != ("OKP", "Ed25519"):
        raise ValueError("the JWK is not of an Ed25519 key")
    text = members["x"]
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
