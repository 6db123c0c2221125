"""Small things for tests that speak to Secrets Manager."""

import socket
import time
from collections.abc import Callable

REGION = "us-east-1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def dead_endpoint() -> str:
    """Return an address at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def wait_until(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
