"""Requests to servers that a tenant names: to public addresses only, to the very address that was checked.

The name is looked up once; when any of its addresses is private, none is used. Redirects are not followed:
they are answers like any other. Nothing of the machine's proxy settings counts here.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore

from tenants.addresses import is_public

CONNECT_SECONDS = 3
READ_SECONDS = 5
WHOLE_SECONDS = 15
Resolve = Callable[[str, int], list[str]]


class OutgoingRefused(ValueError):
    """The address is not one that we connect to for others."""


class OutgoingFailed(RuntimeError):
    """The server did not answer as servers do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and the body up to what was asked for."""

    status: int
    body: bytes


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, each once; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch(
    url: str,
    *,
    most: int,
    resolving: Resolve = resolve,
    network: httpcore.NetworkBackend | None = None,
) -> Answer:
    """GET the address, reading `most` bytes of the answer; raises `OutgoingRefused` or `OutgoingFailed`."""
    check_url(url)
    guard = _Guard(resolving, network or httpcore.SyncBackend())
    end = time.monotonic() + WHOLE_SECONDS
    waits = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": CONNECT_SECONDS}
    headers: list[tuple[bytes | str, bytes | str]] = [
        ("User-Agent", "ProEcommerce"), ("Accept", "*/*"), ("Connection", "close")
    ]  # fmt: skip
    try:
        with (
            httpcore.ConnectionPool(network_backend=guard, ssl_context=ssl.create_default_context()) as pool,
            pool.stream("GET", url, headers=headers, extensions={"timeout": waits}) as response,
        ):
            body = b""
            for chunk in response.iter_stream():
                body += chunk
                if len(body) >= most or time.monotonic() > end:
                    break
            return Answer(response.status, body[:most])
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        raise OutgoingFailed(f"{urlsplit(url).hostname} does not answer.") from error


def check_url(url: str) -> None:
    """Refuse what is not a plain web address on its usual port; raises `OutgoingRefused`."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise OutgoingRefused("The address holds characters that do not belong there.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OutgoingRefused("That is not a web address.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OutgoingRefused("The address has to begin with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise OutgoingRefused("The address may not hold a user name or password.")
    if port not in {None, {"http": 80, "https": 443}[parts.scheme]}:
        raise OutgoingRefused("The address may not name a port of its own.")


class _Guard(httpcore.NetworkBackend):
    """Looks the name up once, refuses what is not public, and connects to what it has checked."""

    def __init__(self, resolving: Resolve, network: httpcore.NetworkBackend) -> None:
        self.resolving, self.network = resolving, network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # not money: seconds
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self.resolving(host, port)
        if not addresses or not all(map(is_public, addresses)):
            raise OutgoingRefused(f"{host} does not lead to a public address.")
        return self.network.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    def connect_unix_socket(self, *args: object, **kwargs: object) -> httpcore.NetworkStream:
        raise OutgoingRefused("Only web addresses are asked.")

    def sleep(self, seconds: float) -> None:  # not money: seconds
        self.network.sleep(seconds)
