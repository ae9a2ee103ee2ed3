"""Chains of delegation, verified from the root to the leaf.

A chain is one text: its links, joined by `~`, the root first. All of this is offline: time and keys are given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Final

from procurator.governance.delegation.chains import SEPARATOR, Chain
from procurator.governance.delegation.links import DEPTH_EXCEEDED, Terms, check, check_time, signing_key
from procurator.governance.delegation.tokens import MAX_LINK, TYPE, KeyLookup, Link, read_link
from procurator.governance.refusals import Refused
from procurator.governance.signing import jws
from procurator.governance.signing.keys import PublicKey

MAX_CHAIN: Final = 256 * 1024
"""Characters of a chain."""
MAX_DEPTH: Final = 64
"""The depth that no configuration allows to exceed."""


class TooDeep(Refused):
    """A chain is longer than it may be.

    Attributes:
        chain: the chain as far as its first link too many, if that one and all above it are signed as they should be:
            it says whose prompt was delegated too deep. None where anybody may have added that link.
    """

    def __init__(self, detail: str, link: int, chain: Chain | None = None) -> None:
        super().__init__(DEPTH_EXCEEDED, detail, link=link)
        self.chain = chain


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
        TooDeep: it is longer than it may be.
        Refused: for the first other check that fails; `link` says where.
    """
    names = frozenset({audience} if isinstance(audience, str) else audience)
    terms = Terms(names, now, min(ceiling, MAX_DEPTH), skew)
    try:
        texts, too_many = split_chain(token, terms.ceiling), None
    except TooDeep as error:
        # One more than there may be is looked at: nobody has to verify many signatures to find out that there are more.
        texts, too_many = token.split(SEPARATOR, terms.ceiling + 2)[: terms.ceiling + 2], error
    digest = sha256(token.encode("ascii")).digest()
    links: list[Link] = []
    for at, text in enumerate(texts):
        try:
            signed = read_signed(text)
            signed.verify(signing_key(signed, links[-1] if links else None, issuer, issuer_keys))
            link = read_link(signed, key_by_thumbprint)
            check_time(link, now, skew)
            check(links, link, terms)
        except Refused as error:
            if error.reason == DEPTH_EXCEEDED:
                detail = too_many.detail if too_many is not None and at > terms.ceiling else error.detail
                raise TooDeep(detail, at, Chain((*links, link), digest)) from None
            error.link = at
            raise too_many or error from None
        links.append(link)
    return Chain(tuple(links), digest)


def split_chain(token: str, ceiling: int = MAX_DEPTH) -> list[str]:
    """The texts of the links.

    Raises:
        TooDeep: there are too many.
        Refused: `malformed_token`.
    """
    if not token or len(token) > MAX_CHAIN or not token.isascii():
        raise jws.malformed(f"is no ASCII text of 1 to {MAX_CHAIN} characters")
    parts = token.split(SEPARATOR, ceiling + 1)
    if len(parts) > ceiling + 1:
        raise TooDeep(f"the chain has more than {ceiling + 1} links", ceiling + 1)
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
