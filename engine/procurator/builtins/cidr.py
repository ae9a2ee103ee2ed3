"""Built-ins `net.cidr_*`: membership, overlap, expansion and merging of IPv4 and IPv6 networks.

An IPv6 network inside ::ffff:0:0/96 counts as the IPv4 network it stands for, as everywhere in Go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from typing import Final, NamedTuple

from procurator.builtins.operands import BuiltinError, string
from procurator.values import Set, Value, value_of

_MAPPED: Final = 0xFFFF << 32
_MAX_EXPANDED: Final = 1 << 18
_BITS: Final = {4: 32, 6: 128}


class _Network(NamedTuple):
    family: int
    first: int
    last: int

    def contains(self, other: _Network) -> bool:
        return self.family == other.family and self.first <= other.first and other.last <= self.last


def cidr_contains(outer: Value, inner: Value) -> Value:
    """Whether every address of the second operand, an address or a network, lies in the first."""
    network = _network(string(outer, 1))
    text = string(inner, 1)
    within = _address(text) or _parsed(text)
    if within is None:
        raise BuiltinError(f"not a valid textual representation of an IP address or CIDR: {text}")
    return network.contains(within)


def cidr_intersects(first: Value, second: Value) -> Value:
    """Whether two networks have an address in common."""
    a, b = _network(string(first, 1)), _network(string(second, 1))
    return a.contains(b) or b.contains(a)


def cidr_contains_matches(outers: Value, inners: Value) -> Value:
    """The pairs of index or key at which a network of the first collection contains one of the second."""
    return Set(
        [outer_index, inner_index]
        for outer_index, outer in _matchable(outers, 1)
        for inner_index, inner in _matchable(inners, 2)
        if cidr_contains(outer, inner)
    )


def _matchable(value: Value, position: int) -> Iterator[tuple[Value, Value]]:
    if isinstance(value, str):
        yield value, value
    for index, element in _indexed(value):
        if isinstance(element, str):
            yield index, element
        elif isinstance(element, list) and element:
            yield index, element[0]
        else:
            raise BuiltinError(f"operand {position}: element must be string or non-empty array")


def _indexed(value: Value) -> Iterable[tuple[Value, Value]]:
    if isinstance(value, list):
        return enumerate(value)
    if isinstance(value, Set):
        return ((member, member) for member in value)
    if isinstance(value, dict):
        return ((value_of(key), element) for key, element in value.items())
    return ()


def cidr_expand(value: Value) -> Value:
    """The set of all addresses of a network."""
    network = _network(string(value, 1))
    if network.last - network.first >= _MAX_EXPANDED:
        raise BuiltinError(f"network has more than {_MAX_EXPANDED} addresses")
    kind = IPv4Address if network.family == 4 else IPv6Address
    addresses = [str(kind(number)) for number in range(network.first, network.last + 1)]
    return Set.of(dict(zip(addresses, addresses, strict=True)))


def cidr_is_valid(value: Value) -> Value:
    """Whether the value is a string that is a network in CIDR notation."""
    return isinstance(value, str) and _parsed(value) is not None


def cidr_merge(value: Value) -> Value:
    """The smallest set of networks that covers the same addresses."""
    if not isinstance(value, (list, Set)):
        raise BuiltinError("operand must be an array")
    return Set(_merged(_mergeable(element) for element in value))


def _merged(networks: Iterable[tuple[_Network, str]]) -> Iterator[str]:
    ranges: list[tuple[int, int, str]] = []
    for first, last, text in sorted((*_span(network), text) for network, text in networks):
        if ranges and _before(first) <= ranges[-1][1]:
            ranges[-1] = ranges[-1][0], max(last, ranges[-1][1]), ""
        else:
            ranges.append((first, last, text))
    for first, last, text in ranges:
        yield from [text] if text else _summary(first, last)


def _span(network: _Network) -> tuple[int, int]:
    """First and last address in the space of IPv6."""
    base = _MAPPED if network.family == 4 else 0
    return base + network.first, base + network.last


def _before(address: int) -> int:
    # 0.0.0.0 does not follow on the IPv6 address below it.
    return address if address in (0, _MAPPED) else address - 1


def _summary(first: int, last: int) -> Iterator[str]:
    if first >= _MAPPED and last < _MAPPED + (1 << 32):
        return map(str, summarize_address_range(IPv4Address(first - _MAPPED), IPv4Address(last - _MAPPED)))
    return map(str, summarize_address_range(IPv6Address(first), IPv6Address(last)))


def _mergeable(value: Value) -> tuple[_Network, str]:
    """The network and how it is shown when nothing is merged with it."""
    if not isinstance(value, str):
        raise BuiltinError("element must be string")
    address = _address(value)
    if address is None:
        network = _network(value)
        return network, next(_summary(*_span(network)))
    if address.family == 6:
        raise BuiltinError("IPv6 invalid: needs prefix length")
    # A bare IPv4 address stands for the network of its class.
    prefix = 8 if address.first < 0x80 << 24 else 16 if address.first < 0xC0 << 24 else 24
    return _of(4, address.first, prefix), f"{IPv4Address(address.first)}/{prefix}"


def _network(text: str) -> _Network:
    network = _parsed(text)
    if network is None:
        raise BuiltinError(f"invalid CIDR address: {text}")
    return network


@lru_cache(maxsize=4096)
def _parsed(text: str) -> _Network | None:
    """The network a text in CIDR notation stands for."""
    host, slash, digits = text.partition("/")
    if not slash or not (digits.isascii() and digits.isdigit()):
        return None
    address, prefix = _number(host), int(digits.lstrip("0")[:4] or 0)
    if address is None or prefix > _BITS[address[0]]:
        return None
    network = _of(*address, prefix)
    mapped = network.family == 6 and prefix >= 96 and network.first >> 32 == 0xFFFF
    return _Network(4, network.first - _MAPPED, network.last - _MAPPED) if mapped else network


def _of(family: int, address: int, prefix: int) -> _Network:
    hosts = (1 << (_BITS[family] - prefix)) - 1
    return _Network(family, address & ~hosts, address | hosts)


def _number(text: str) -> tuple[int, int] | None:
    """Family and number of an address as it is written."""
    if "%" in text:
        return None
    try:
        return (6, int(IPv6Address(text))) if ":" in text else (4, int(IPv4Address(text)))
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address without a zone."""
    return _number(text) is not None


def address_text(text: str) -> str | None:
    """The usual spelling of an address, or None if the text is none."""
    network = _address(text)
    if network is None:
        return None
    return str(IPv4Address(network.first) if network.family == 4 else IPv6Address(network.first))


def _address(text: str) -> _Network | None:
    """A single address as a network."""
    number = _number(text)
    if number is None:
        return None
    family, address = number
    if family == 6 and address >> 32 == 0xFFFF:
        family, address = 4, address - _MAPPED
    return _Network(family, address, address)


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "net.cidr_contains": cidr_contains,
    "net.cidr_contains_matches": cidr_contains_matches,
    "net.cidr_expand": cidr_expand,
    "net.cidr_intersects": cidr_intersects,
    "net.cidr_is_valid": cidr_is_valid,
    "net.cidr_merge": cidr_merge,
    "net.cidr_overlap": cidr_contains,
}
