"""A network address, or a URL that somebody configured, into whether we may go there.

Called by `connectors.transport` with the address that is really connected to, whatever a name resolved to, and by
`service.guard` with what somebody writes. Nobody gets to link-local addresses: that is where clouds keep the credentials
of their machines.
"""

from __future__ import annotations

import ipaddress
from enum import Enum
from urllib.parse import urlsplit


class Reach(Enum):
    """What kind of place an address is."""

    PUBLIC = "public"
    PRIVATE = "private"
    """This machine, or a network that only some can reach."""
    FORBIDDEN = "forbidden"
    """Never a host of anybody's account."""


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What Python calls private and is no LAN: documentation, benchmarks, protocol assignments, "this network".
_PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8")
) + tuple(ipaddress.ip_network(each) for each in ("::1/128", "fc00::/7"))
# Metadata services at addresses that are not link-local.
_METADATA = frozenset(
    ipaddress.ip_address(each)
    for each in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "168.63.129.16")
)
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")


def reach(address: str) -> Reach:
    """What kind of place an address is; what is no address is forbidden. One that carries another inside (IPv4-mapped,
    6to4, Teredo, NAT64) is at most as good as that one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return Reach.FORBIDDEN
    return _reach(found)


def _reach(address: _Address) -> Reach:
    if address in _METADATA:
        return Reach.FORBIDDEN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _reach(address.ipv4_mapped)
        carried = _carried(address)
        if carried and any(_reach(each) is not Reach.PUBLIC for each in carried):
            return Reach.FORBIDDEN
    if any(address in network for network in _PRIVATE if network.version == address.version):
        return Reach.PRIVATE
    is_old_lan = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    is_odd = address.is_link_local or address.is_multicast or is_old_lan or not address.is_global
    return Reach.FORBIDDEN if is_odd else Reach.PUBLIC


def _carried(address: ipaddress.IPv6Address) -> tuple[_Address, ...]:
    """The IPv4 addresses that a gateway would make of it."""
    found: list[_Address] = [*(address.teredo or ())]
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _NAT64):
        found.append(low)
    if address in _COMPATIBLE and int(address) > 1:
        found.append(low)
    return tuple(found)


def fault_of(url: str, *, allow_private: bool) -> str:
    """Why a URL is not to be called, as far as it can be told without resolving its name; empty when nothing speaks against
    it. What a name resolves to is looked at when it is connected to."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not a web address"
    if parts.scheme not in ("http", "https") or not host or any(each.isspace() for each in url.strip()):
        return "is not a web address"
    if parts.username is not None or parts.password is not None:
        return "carries a user name or a password"
    kind = _kind(host)
    if kind is Reach.FORBIDDEN:
        return "names an address that is never called"
    if kind is Reach.PRIVATE and not allow_private:
        return "names a private address, and those are not allowed here"
    if parts.scheme == "http" and not (allow_private and kind is not Reach.PUBLIC):
        return "is not encrypted"
    return ""


def _kind(host: str) -> Reach | None:
    """What kind of place a host is where it says so by itself; None for a name that has to be resolved."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return Reach.PRIVATE
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return _reach(address)
