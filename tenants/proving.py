"""Looking for the proof of a hostname: a TXT record in its DNS, or a file on its present web server."""

import secrets

from tenants import dns_gateway, outgoing
from tenants.claiming import FILE_PATH, TXT_LABEL


def txt_name(hostname: str) -> str:
    return f"{TXT_LABEL}.{hostname}"


def txt_value(token: str) -> str:
    """What the TXT record and the file have to hold."""
    return f"proecommerce-proof={token}"


def look(hostname: str, token: str) -> tuple[str, str]:
    """Return how the proof was found ("dns", "http" or ""), and what was found instead."""
    wanted = txt_value(token).encode()
    try:
        found = dns_gateway.texts(txt_name(hostname))
    except dns_gateway.DnsUnavailable as error:
        missing = str(error)
    else:
        if any(secrets.compare_digest(text.strip().encode(), wanted) for text in found):
            return "dns", ""
        seen = "holds something else" if found else "is not there yet"
        missing = f"The TXT record {txt_name(hostname)} {seen}."
    try:
        answer = outgoing.fetch(f"http://{hostname}{FILE_PATH}", most=1024, resolving=_by_dns)
    except (outgoing.OutgoingRefused, outgoing.OutgoingFailed):
        return "", missing
    if answer.status == 200 and secrets.compare_digest(answer.body.strip(), wanted):
        return "http", ""
    return "", missing


def look_again(hostname: str, token: str, home: str) -> tuple[str, str]:
    """Return how one sees that a proven host is still its tenant's, and what was found instead.

    By its proof, or ("leads here") by addresses that it shares with `home`, the host that we gave the tenant:
    the file of a former web server is gone by then, and who keeps a name led here means it.
    """
    method, missing = look(hostname, token)
    if method:
        return method, ""
    try:
        leads_here = dns_gateway.addresses(hostname) & dns_gateway.addresses(home)
    except dns_gateway.DnsUnavailable:
        return "", missing
    return ("leads here", "") if leads_here else ("", missing)


def _by_dns(host: str, port: int) -> list[str]:
    try:
        return sorted(dns_gateway.addresses(host))
    except dns_gateway.DnsUnavailable as error:
        raise OSError(str(error)) from error
