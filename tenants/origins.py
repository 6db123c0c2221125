"""Where a request comes from: the caller's address as our own proxies saw it, never as the caller says."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

IPV6_PREFIX = 64  # what one household or one rented machine is given


def origin_of(request: HttpRequest) -> tuple[str | None, str]:
    """Return the caller's IP address in its canonical form, and its user agent without control characters."""
    agent = "".join(c for c in request.META.get("HTTP_USER_AGENT", "") if c.isprintable())[:400]
    seen = [request.META.get("REMOTE_ADDR", "")]
    hops: int = settings.TRUSTED_PROXIES
    chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < hops <= len(chain):
        # Each proxy appends whom it saw; what stands before the entries of ours, anybody may have written.
        # Fewer entries than proxies of ours: it came past one of them, and all that it says may be made up.
        seen.insert(0, chain[-hops])
    for address in seen:
        try:
            return str(ip_address(address.strip())), agent
        except ValueError:
            continue
    return None, agent


def network_of(address: str | None) -> str:
    """Return what counts as one caller: an IPv4 address, or the /64 network of an IPv6 address."""
    if address is None:
        return "unknown"
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        bare = str(parsed).split("%", 1)[0]
        return str(ip_network(f"{bare}/{IPV6_PREFIX}", strict=False))
    return str(parsed)


def is_of_another_site(request: HttpRequest) -> bool:
    """Tell whether a browser says that a page of another origin had it send this.

    Every browser names the origin of a form that it sends; of pictures and links it says on TLS only.
    """
    if request.method in {"GET", "HEAD"}:
        return request.META.get("HTTP_SEC_FETCH_SITE") in {"cross-site", "same-site"}
    origin = request.META.get("HTTP_ORIGIN")
    return origin is not None and origin != f"{request.scheme}://{request.META.get('HTTP_HOST', '')}"


def is_loopback(request: HttpRequest) -> bool:
    """Tell whether the request began on the machine itself, or on that of the outermost trusted proxy."""
    address, _ = origin_of(request)
    if address is None:
        return False
    parsed = ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback
