"""Asking the DNS: the only importer of dnspython."""

from typing import cast
from urllib.parse import urlsplit

import dns.exception
import dns.rdatatype
import dns.resolver
from django.conf import settings

SECONDS = 5


class DnsUnavailable(RuntimeError):
    """No name server answered; ask again later."""


def texts(name: str) -> frozenset[str]:
    """Return the TXT records of a name, none when there is no such name; raises `DnsUnavailable`."""
    return frozenset(
        b"".join(record.strings).decode("utf-8", "replace") for record in _records(name, dns.rdatatype.TXT)
    )


def addresses(name: str) -> frozenset[str]:
    """Return the IPv4 and IPv6 addresses of a name; raises `DnsUnavailable`."""
    kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
    return frozenset(record.address for kind in kinds for record in _records(name, kind))


def _records(name: str, kind: dns.rdatatype.RdataType) -> list:  # type: ignore[type-arg]
    try:
        found = _resolver().resolve(name, kind, search=False, lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise DnsUnavailable(f"The DNS did not answer for {name}.") from error
    return list(found)


def _resolver() -> dns.resolver.Resolver:
    if not settings.DNS_SERVER:
        return dns.resolver.Resolver()
    own = urlsplit(f"//{settings.DNS_SERVER}")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [cast(str, own.hostname)]
    resolver.port = own.port or 53
    return resolver
