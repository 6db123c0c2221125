"""Which loopback port each part listens on, and whether it is free."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

# The order is the offset from --base-port; "web" has a port of its own (--port).
OFFSETS = {
    "pg": 1,
    "broker": 2,
    "cache": 3,
    "moto": 4,
    "stripe": 5,
    "smtp": 6,
    "imap": 7,
    "mailweb": 8,
}
# Below the range that kernels hand out by themselves, so that nobody gets one by chance.
FREE_RANGE = (20000, 32000)


class PortTaken(Exception):
    """A part cannot listen where it should."""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass
class Ports:
    """The ports of one stack; `locks` keep other stacks of this machine from choosing the same ones."""

    numbers: Mapping[str, int]
    locks: list[IO[str]] = field(default_factory=list)

    def __getitem__(self, name: str) -> int:
        return self.numbers[name]

    def refuse_taken(self, names: list[str], titles: Mapping[str, str]) -> None:
        taken = [name for name in names if not is_free(self.numbers[name])]
        if not taken:
            return
        lines = [
            f"{titles[n]} cannot start: port {self.numbers[n]} is taken by another program." for n in taken
        ]
        option = (
            "--port"
            if taken == ["web"]
            else "--base-port"
            if "web" not in taken
            else "--port and --base-port"
        )
        example = "bin/demo --port 8800" if "web" in taken else "bin/demo --base-port 28000"
        lines.append(f"Stop that program, or choose another port with {option}, for example: {example}")
        raise PortTaken("\n".join(lines))


def fixed(port: int, base_port: int) -> Ports:
    return Ports({"web": port, **{name: base_port + offset for name, offset in OFFSETS.items()}})


def choose_free() -> Ports:
    """Take a free port for every part and hold it against other stacks for as long as this process lives."""
    folder = Path(tempfile.gettempdir()) / f"proecommerce-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    numbers: dict[str, int] = {}
    locks: list[IO[str]] = []
    for name in ("web", *OFFSETS):
        port, lock = _claim(folder)
        numbers[name] = port
        locks.append(lock)
    return Ports(numbers, locks)


def _claim(folder: Path) -> tuple[int, IO[str]]:
    for _ in range(2000):
        port = random.randrange(*FREE_RANGE)
        lock = (folder / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        if is_free(port):
            return port, lock
        lock.close()
    raise PortTaken(f"No free port was found between {FREE_RANGE[0]} and {FREE_RANGE[1]}.")
