"""`python -m sandbox.stripe --port N [--state FILE] [--public-url URL]`: run the stand-in until it is told
to stop."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from sandbox.stripe.server import Server


async def serve(port: int, state_file: Path | None, public_url: str | None) -> None:
    server = Server(state_file, public_url)
    bound = await server.start(port)
    print(f"Stripe stand-in on http://127.0.0.1:{bound}", flush=True)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 lets the system choose; it is printed")
    parser.add_argument("--state", type=Path, help="file that keeps the data over restarts")
    parser.add_argument(
        "--public-url", help="how browsers reach this server; http://stripe.localhost:PORT by default"
    )
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.port, given.state, given.public_url))
    except OSError as error:
        print(f"Cannot listen on port {given.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
