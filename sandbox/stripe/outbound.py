"""The HTTP client that webhooks leave by: kept-open connections, and loopback only."""

import asyncio
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

_MAX_IDLE = 16


class NotLoopbackError(Exception):
    """The stand-in reaches nothing but this machine."""


@dataclass(slots=True)
class _Wire:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def loopback_address(host: str) -> str:
    """`*.localhost` is this machine without asking any DNS; the name still goes into the Host header."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise NotLoopbackError(f"{host} is not on this machine: webhooks are delivered to loopback only")


class Client:
    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[_Wire]] = {}

    async def post(self, url: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
        """The status of the answer. Raises OSError, TimeoutError or ValueError when there is none."""
        parts = urlsplit(url)
        if parts.scheme != "http":
            raise NotLoopbackError("Only http:// reaches a server on this machine")
        place = (loopback_address(parts.hostname or ""), parts.port or 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"POST {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        async with asyncio.timeout(timeout):
            return await self._exchange(place, message)

    async def _exchange(self, place: tuple[str, int], message: bytes) -> int:
        while True:
            idle = self._idle.setdefault(place, [])
            reused = bool(idle)
            wire = idle.pop() if idle else _Wire(*await asyncio.open_connection(*place))
            try:
                wire.writer.write(message)
                head = await wire.reader.readuntil(b"\r\n\r\n")
                status, reusable = await _finish(wire.reader, head)
            except (OSError, asyncio.IncompleteReadError) as error:
                wire.writer.close()
                # The other side may close an idle connection at any time: that alone is worth a second try.
                if reused and not getattr(error, "partial", b""):
                    continue
                raise OSError(f"connection broken: {error}") from error
            except BaseException:
                wire.writer.close()
                raise
            if reusable and len(idle) < _MAX_IDLE:
                idle.append(wire)
            else:
                wire.writer.close()
            return status

    def close(self) -> None:
        for wires in self._idle.values():
            for wire in wires:
                wire.writer.close()
        self._idle.clear()


async def _finish(reader: asyncio.StreamReader, head: bytes) -> tuple[int, bool]:
    """Read the answer to its end; whether the connection can serve again."""
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ", 2)[1])
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
    }
    keep = headers.get("connection", "keep-alive").lower() != "close"
    if status in {204, 304}:
        return status, keep
    if "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
        return status, keep
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        while (await reader.readline()).strip():
            pass
        return status, keep
    await reader.read()
    return status, False
