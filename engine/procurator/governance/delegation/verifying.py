"""Chains of delegation, verified from the root to the leaf.

A chain is one text: its links, joined by `~`, the root first. All of this is offline: time and keys are given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Final

from procurator.governance.delegation.chains import SEPARATOR, Chain
from procurator.governance.delegation.links import Terms, check, check_time, signing_key
from procurator.governance.delegation.tokens import MAX_LINK, TYPE, KeyLookup, Link, read_link
from procurator.governance.refusals import Refused
from procurator.governance.signing import jws
from procurator.governance.signing.keys import PublicKey

MAX_CHAIN: Final = 256 * 1024
"""Characters of a chain."""
MAX_DEPTH: Final = 64
"""The depth that no configuration allows to exceed."""


def no_keys(_thumbprint: str) -> None:
    """The lookup of somebody who knows no keys by their thumbprints."""


def verify_chain(
    token: str,
    *,
    issuer: str,
    issuer_keys: Mapping[str, PublicKey],
    audience: str | Collection[str],
    now: int,
    key_by_thumbprint: KeyLookup = no_keys,
    ceiling: int = MAX_DEPTH,
    skew: int = 0,
) -> Chain:
    """Verify a chain from its root to its leaf.

    Args:
        token: the chain.
        issuer: `iss` of the gateway, who issues roots.
        issuer_keys: the gateway's keys by their `kid`.
        audience: what the verifier is called, one name or several.
        now: seconds since 1970.
        key_by_thumbprint: finds the key of a holder whose token has a thumbprint alone.
        ceiling: the depth that no link exceeds, whatever it says itself.
        skew: seconds that clocks may differ by.

    Raises:
        Refused: for the first check that fails; `link` says where.
    """
    names = frozenset({audience} if isinstance(audience, str) else audience)
    terms = Terms(names, now, min(ceiling, MAX_DEPTH), skew)
    links: list[Link] = []
    for at, text in enumerate(split_chain(token, terms.ceiling)):
        try:
            signed = read_signed(text)
            signed.verify(signing_key(signed, links[-1] if links else None, issuer, issuer_keys))
            link = read_link(signed, key_by_thumbprint)
            check_time(link, now, skew)
            check(links, link, terms)
        except Refused as error:
            error.link = at
            raise
        links.append(link)
    return Chain(tuple(links), sha256(token.encode("ascii")).digest())


def split_chain(token: str, ceiling: int = MAX_DEPTH) -> list[str]:
    """The texts of the links.

    Raises:
        Refused: `malformed_token`, `depth_exceeded`.
    """
    if not token or len(token) > MAX_CHAIN or not token.isascii():
        raise jws.malformed(f"is no ASCII text of 1 to {MAX_CHAIN} characters")
    # Nobody has to verify many signatures to find out that there are too many.
    parts = token.split(SEPARATOR, ceiling + 1)
    if len(parts) > ceiling + 1:
        raise Refused("depth_exceeded", f"the chain has more than {ceiling + 1} links", link=ceiling + 1)
    return parts


def read_signed(text: str) -> jws.Signed:
    """A link as it is written, nothing verified.

    Raises:
        Refused: `malformed_token`, `unknown_token_type`, `algorithm_not_allowed`.
    """
    if len(text) > MAX_LINK:
        raise jws.malformed(f"has a link of more than {MAX_LINK} characters")
    return jws.read(text, TYPE)


def read_unverified(token: str, key_by_thumbprint: KeyLookup = no_keys) -> tuple[Link, ...]:
    """The links of a chain as they say they are; for those who hold or look at one, never to decide by.

    Raises:
        Refused: a link is malformed.
    """
    return tuple(read_link(read_signed(text), key_by_thumbprint) for text in split_chain(token))
