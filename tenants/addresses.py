"""Which IP addresses lie in the public internet: pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Prefixes that carry an IPv4 address inside an IPv6 one, and where in it that stands (bits from the right).
_CARRIERS = (
    (ip_network("::/96"), 0),  # the deprecated IPv4-compatible form
    (ip_network("64:ff9b::/96"), 0),  # NAT64
    (ip_network("64:ff9b:1::/48"), 0),  # NAT64, local
    (ip_network("2002::/16"), 80),  # 6to4
)
_NOBODYS = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
            "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
        ),
    )
)  # fmt: skip


def is_public(text: str) -> bool:
    """Tell whether this is an address in the public internet; anything that is no address is not."""
    try:
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        for network, shift in _CARRIERS:
            if address in network and not _is_public(IPv4Address((int(address) >> shift) & 0xFFFFFFFF)):
                return False
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOBODYS if network.version == address.version)
    )
