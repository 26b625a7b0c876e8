"""Which addresses may be called: laws over whole ranges, in every spelling that carries one address inside another."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.addresses import Reach, fault_of, reach

V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)


def _inside(network: str) -> st.SearchStrategy[str]:
    found = ipaddress.ip_network(network)
    low, high = int(found[0]), int(found[-1])
    return st.integers(low, high).map(lambda number: str(type(found[0])(number)))


def _mapped(address: str) -> list[str]:
    """Every IPv6 address that stands for an IPv4 one."""
    number = int(ipaddress.IPv4Address(address))
    prefixes = (0xFFFF << 32, 0x64FF9B << 96)
    return [str(ipaddress.IPv6Address(prefix | number)) for prefix in prefixes] + [
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80) | 1))
    ]


METADATA = st.one_of(
    _inside("169.254.0.0/16"), _inside("fe80::/10"), st.sampled_from(["100.100.100.200", "fd00:ec2::254"])
)
PRIVATE = st.one_of(
    *map(_inside, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc01::/16", "::1/128"))
)
NOWHERE = st.one_of(
    *map(_inside, ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "ff00::/8", "fec0::/10", "192.0.2.0/24"))
)


@given(METADATA)
def test_link_local_and_metadata_addresses_are_never_called(address: str) -> None:
    assert reach(address) is Reach.FORBIDDEN
    host = f"[{address}]" if ":" in address else address
    assert fault_of(f"https://{host}/", allow_private=True)


@given(PRIVATE)
def test_private_addresses_are_private(address: str) -> None:
    assert reach(address) is Reach.PRIVATE


@given(NOWHERE)
def test_addresses_of_no_host_are_never_called(address: str) -> None:
    assert reach(address) is Reach.FORBIDDEN


@given(V4)
def test_an_address_inside_another_is_never_better_than_by_itself(address: ipaddress.IPv4Address) -> None:
    order = [Reach.FORBIDDEN, Reach.PRIVATE, Reach.PUBLIC]
    own = order.index(reach(str(address)))
    mapped, *others = _mapped(str(address))

    assert reach(mapped) is order[own]
    assert all(order.index(reach(each)) <= own for each in others)


@given(st.one_of(V4, V6))
def test_whatever_is_public_is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if reach(str(address)) is Reach.PUBLIC:
        assert address.is_global
        assert not address.is_multicast


@given(V6, st.sampled_from(["%eth0", "%1"]))
def test_a_zone_makes_no_difference(address: ipaddress.IPv6Address, zone: str) -> None:
    assert reach(f"{address}{zone}") is reach(str(address))


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    assert isinstance(fault_of(text, allow_private=True), str)
    assert isinstance(reach(text), Reach)


@pytest.mark.parametrize(
    ("url", "with_private", "without"),
    [
        ("https://ac.example.test/x", "", ""),
        ("http://ac.example.test", "", "is not encrypted"),
        ("http://8.8.8.8", "is not encrypted", "is not encrypted"),
        ("http://127.0.0.1:8080", "", "names a private address, and those are not allowed here"),
        ("https://localhost", "", "names a private address, and those are not allowed here"),
        ("https://LOCALHOST.", "", "names a private address, and those are not allowed here"),
        (
            "https://[::ffff:169.254.169.254]/",
            "names an address that is never called",
            "names an address that is never called",
        ),
        ("ftp://ac.example.test", "is not a web address", "is not a web address"),
        (
            "https://owner@ac.example.test",
            "carries a user name or a password",
            "carries a user name or a password",
        ),
        ("https://ac.example.test:port/", "is not a web address", "is not a web address"),
    ],
)
def test_what_is_said_of_a_url(url: str, with_private: str, without: str) -> None:
    assert fault_of(url, allow_private=True) == with_private
    assert fault_of(url, allow_private=False) == without
