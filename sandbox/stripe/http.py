"""A small HTTP/1.1 server on asyncio: fast, and able to cut a connection, which no framework lets a handler
do."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote

MAX_HEAD = 64 * 1024
MAX_BODY = 8 * 1024 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        return self.headers.get(name)


@dataclass(slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    reset: bool = False  # cut the connection instead of answering

    def encode(self, *, head_only: bool) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, '')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head if head_only else head + self.body


Handler = Callable[[Request], Awaitable[Response]]


class BadRequestError(Exception):
    """What came in is not HTTP that we answer."""


class Connection(asyncio.Protocol):
    """One client connection: requests are answered one after the other, in the order they came."""

    def __init__(self, handler: Handler, open_: set["Connection"]) -> None:
        self._handler = handler
        self._open = open_
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        # A request that has begun runs to its end, as a server's does when the client has gone.
        self._open.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._next()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _next(self) -> None:
        try:
            request = self._parse()
        except (BadRequestError, ValueError) as error:
            self._refuse(str(error))
            return
        if request is not None:
            self._task = asyncio.ensure_future(self._answer(request))

    def _refuse(self, reason: str) -> None:
        if self._transport is not None:
            refusal = Response(400, reason.encode(), "text/plain; charset=utf-8", [("Connection", "close")])
            self._transport.write(refusal.encode(head_only=False))
            self._transport.close()

    def _parse(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequestError("Header too large")
            return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        method, target, _version = lines[0].split(" ", 2)
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding", "identity").lower() != "identity":
            raise BadRequestError("Send a Content-Length")
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= MAX_BODY:
            raise BadRequestError("Body too large")
        if len(self._buffer) < end + 4 + length:
            if headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        path, _, query = target.partition("?")
        return Request(method, unquote(path), query, headers, body)

    async def _answer(self, request: Request) -> None:
        response = await self._handler(request)
        transport = self._transport
        if transport is not None:
            if response.reset:
                _cut(transport)
            else:
                transport.write(response.encode(head_only=request.method == "HEAD"))
                if request.headers.get("connection", "").lower() == "close":
                    transport.close()
        self._task = None
        if self._buffer and self._transport is not None:
            self._next()


def _cut(transport: asyncio.Transport) -> None:
    """Send RST rather than FIN: the client sees "connection reset by peer" and cannot know what happened."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Listener:
    """The listening socket and the connections that came through it."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on loopback only; returns the port, which is chosen by the system when 0 is asked for."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handler, self._connections), "127.0.0.1", port, reuse_address=True
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
