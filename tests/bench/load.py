"""A small load generator: HTTP POSTs over kept-open connections, each answered before the next is sent."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path


async def _client(port: int, requests: Sequence[bytes], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        lines = head.lower().split(b"\r\n")
        if b"transfer-encoding: chunked" in lines:
            await reader.readuntil(b"0\r\n\r\n")
        else:
            length = next((line for line in lines if line.startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.split(b":")[1]))
        times.append(time.perf_counter() - began)
    writer.close()


async def _run(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, list[float]]:
    times: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(_client(port, requests[number::connections], times) for number in range(connections))
    )
    return time.perf_counter() - began, times


if __name__ == "__main__":
    _, port, connections, file = sys.argv
    raw = [bytes.fromhex(line) for line in Path(file).read_text().split()]
    seconds, taken = asyncio.run(_run(int(port), raw, int(connections)))
    taken.sort()
    print(
        json.dumps(
            {
                "rate": len(taken) / seconds,
                "p50": taken[len(taken) // 2],
                "p99": taken[int(len(taken) * 0.99)],
            }
        )
    )
