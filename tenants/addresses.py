"""Which IP addresses lie in the public internet: pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Documentation, benchmarks, the future, and IPv6 networks that carry an IPv4 address on to who knows where.
_NOBODYS = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
            "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "100::/64", "2001::/23",
            "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
        ),
    )
)  # fmt: skip


def is_public(text: str) -> bool:
    """Tell whether this is an address in the public internet; anything that is no address is not."""
    try:
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return _is_public(mapped or address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOBODYS if network.version == address.version)
    )
