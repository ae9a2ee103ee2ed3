"""`net.cidr_*`."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins.cidr import TABLE
from procurator.values import EMPTY_SET, Set

CONTAINS = [
    ("10.0.0.0/8", "10.255.255.255", True),
    ("10.0.0.0/8", "10.1.0.0/16", True),
    ("10.1.0.0/16", "10.0.0.0/8", False),
    ("10.1.2.3/8", "10.0.0.0/8", True),
    ("10.0.0.0/8", "11.0.0.0", False),
    ("2001:db8::/32", "2001:db8:ffff::1", True),
    ("::/0", "1.2.3.4", False),
    ("0.0.0.0/0", "::1", False),
    ("::/80", "::/80", True),
    ("10.0.0.0/8", "::ffff:10.1.2.3", True),
    ("::ffff:10.0.0.0/104", "10.1.2.3", True),
    ("10.0.0.0/8", "10.0.0", Error("not a valid textual representation of an IP address or CIDR: 10.0.0")),
    ("10.0.0.0/8", "fe80::1%eth0", Error("not a valid textual representation of an IP address or CIDR: fe80::1%eth0")),
    ("10.0.0.0/33", "10.0.0.0", Error("invalid CIDR address: 10.0.0.0/33")),
    ("10.0.0.0", "10.0.0.0", Error("invalid CIDR address: 10.0.0.0")),
    ("010.0.0.0/8", "10.0.0.0", Error("invalid CIDR address: 010.0.0.0/8")),
    (1, "10.0.0.0", Error("operand 1 must be string but got number")),
]

MATCHES = [
    ("10.0.0.0/8", "10.1.0.0/16", [["10.0.0.0/8", "10.1.0.0/16"]]),
    (["10.0.0.0/8", "11.0.0.0/8"], ["11.1.1.1"], [[1, 0]]),
    ([["10.0.0.0/8", "lab"]], {"a": "10.1.1.1", "b": ["9.9.9.9"]}, [[0, "a"]]),
    (Set(["10.0.0.0/8"]), Set([["10.1.1.1", 7]]), [["10.0.0.0/8", ["10.1.1.1", 7]]]),
    ({1: "10.0.0.0/8"}, "10.1.1.1", [[1, "10.1.1.1"]]),
    ([], [1], []),
    ("10.0.0.0/8", 1, []),
    (["10.0.0.0/8"], [1], Error("operand 2: element must be string or non-empty array")),
    ([[]], "10.1.1.1", Error("operand 1: element must be string or non-empty array")),
    ([[1]], "10.1.1.1", Error("operand 1 must be string but got number")),
]

MERGE = [
    ([], []),
    (["10.0.0.0/9", "10.128.0.0/9"], ["10.0.0.0/8"]),
    (["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"], ["10.0.0.0/8"]),
    (Set(["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]), ["10.0.0.0/23", "10.0.2.0/24"]),
    (["10.1.2.3"], ["10.1.2.3/8"]),
    (["10.1.2.3", "10.2.0.0/16"], ["10.0.0.0/8"]),
    (["192.168.1.9/24"], ["192.168.1.0/24"]),
    (["2001:db8::/33", "2001:db8:8000::/33"], ["2001:db8::/32"]),
    (["::fffe:0:0/96", "0.0.0.0/0"], ["::fffe:0:0/96", "0.0.0.0/0"]),
    (["::1"], Error("IPv6 invalid: needs prefix length")),
    (["x"], Error("invalid CIDR address: x")),
    ([1], Error("element must be string")),
    ("10.0.0.0/8", Error("operand must be an array")),
]

EXPAND = [
    ("10.0.0.254/30", ["10.0.0.252", "10.0.0.253", "10.0.0.254", "10.0.0.255"]),
    ("255.255.255.254/31", ["255.255.255.254", "255.255.255.255"]),
    ("2001:db8::/127", ["2001:db8::", "2001:db8::1"]),
    ("::ffff:1.2.3.4/127", ["1.2.3.4", "1.2.3.5"]),
    ("0.0.0.0/0", Error("network has more than 262144 addresses")),
    ("x", Error("invalid CIDR address: x")),
]

VALID = [("10.0.0.0/8", True), ("10.0.0.0/008", True), ("::/128", True), ("::/129", False), ("10.0.0.0/+8", False),
         ("fe80::%1/64", False), ("", False), (None, False)]  # fmt: skip


@pytest.mark.parametrize(("outer", "inner", "wanted"), CONTAINS)
@pytest.mark.parametrize("name", ["net.cidr_contains", "net.cidr_overlap"])
def test_contains(name: str, outer: Any, inner: Any, wanted: Any) -> None:
    check(outcome(TABLE, name, outer, inner), wanted)


@pytest.mark.parametrize(("outers", "inners", "wanted"), MATCHES)
def test_contains_matches(outers: Any, inners: Any, wanted: Any) -> None:
    got = outcome(TABLE, "net.cidr_contains_matches", outers, inners)
    check(got, wanted if isinstance(wanted, Error) else Set(wanted))


@pytest.mark.parametrize(("networks", "wanted"), MERGE)
def test_merge(networks: Any, wanted: Any) -> None:
    check(outcome(TABLE, "net.cidr_merge", networks), wanted if isinstance(wanted, Error) else Set(wanted))


@pytest.mark.parametrize(("network", "wanted"), EXPAND)
def test_expand(network: Any, wanted: Any) -> None:
    check(outcome(TABLE, "net.cidr_expand", network), wanted if isinstance(wanted, Error) else Set(wanted))


@pytest.mark.parametrize(("value", "wanted"), VALID)
def test_is_valid(value: Any, wanted: bool) -> None:
    assert TABLE["net.cidr_is_valid"](value) is wanted


def test_intersects() -> None:
    intersects = TABLE["net.cidr_intersects"]
    assert intersects("10.0.0.0/8", "10.1.0.0/16") is intersects("10.1.0.0/16", "10.0.0.0/8") is True
    assert intersects("10.0.0.0/8", "11.0.0.0/8") is intersects("0.0.0.0/0", "::/0") is False


def test_nothing_contains_matches_in_other_types() -> None:
    check(TABLE["net.cidr_contains_matches"](None, True), EMPTY_SET)


NETWORKS = st.builds(
    lambda address, prefix: str(ip_network((int(IPv4Address("10.0.0.0")) + address, prefix), strict=False)),
    st.integers(0, 1023),
    st.integers(22, 32),
)


@given(st.lists(NETWORKS, max_size=12))
def test_merge_covers_the_same_addresses_with_as_few_networks(networks: list[str]) -> None:
    def addresses(texts: list[str]) -> set[Any]:
        return {address for text in texts for address in ip_network(text)}

    merged = list(TABLE["net.cidr_merge"](networks))
    assert addresses(merged) == addresses(networks)
    assert sum(ip_network(text).num_addresses for text in merged) == len(addresses(networks))
    assert list(TABLE["net.cidr_merge"](merged)) == merged


@given(NETWORKS, st.integers(0, 1023))
def test_an_address_is_contained_when_it_is_in_the_expansion(network: str, offset: int) -> None:
    address = str(ip_address("10.0.0.0") + offset)
    assert TABLE["net.cidr_contains"](network, address) == (address in TABLE["net.cidr_expand"](network))
