"""Real supervisors, run as a user would run them: no part of a stack is replaced by anything."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from sandbox.stack.place import ROOT, Place, remove
from sandbox.stack.ports import OFFSETS, Ports, choose_free, is_free

START = 40.0


def processes() -> dict[int, str]:
    """Every process of this machine with its command line; the dead that nobody has buried do not count."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if "\nState:\tZ" not in (folder / "status").read_text():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def descendants(pid: int) -> set[int]:
    """The process's children and theirs, all the way down."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (folder / "status").read_text()
            parent = re.search(r"^PPid:\t(\d+)", status, re.MULTILINE)
            if parent:
                parents.setdefault(int(parent[1]), []).append(int(folder.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def gone(pids: set[int], patience: float = 15.0) -> dict[int, str]:
    """What is still there of these processes when the patience is over."""
    until = time.monotonic() + patience
    while left := {pid: line for pid, line in processes().items() if pid in pids}:
        if time.monotonic() > until:
            return left
        time.sleep(0.05)
    return {}


@dataclass
class Demo:
    """bin/demo on a data folder of its own."""

    folder: Path
    ports: Ports
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, *options: str, parts: str = "pg,valkey") -> "subprocess.Popen[str]":
        code = "import sys; from pathlib import Path; from sandbox.stack import __main__, place\n"
        code += "place.DEMO = Path(sys.argv.pop(1)); sys.exit(__main__.main(sys.argv[1:]))"
        base = self.ports["web"]
        command = [sys.executable, "-c", code, str(self.folder), "--only", parts, "--fast"]
        command += ["--port", str(base), "--base-port", str(base + 100), *options]
        process = subprocess.Popen(
            command,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    @property
    def place(self) -> Place:
        return Place(self.folder, temporary=False)

    def port(self, offset: int) -> int:
        return self.ports["web"] + 100 + offset

    def up(self, *options: str, parts: str = "pg,valkey") -> "subprocess.Popen[str]":
        """Start it, and wait until it says that it is up."""
        process = self.start(*options, parts=parts)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Up in"):
                return process
        pytest.fail("it did not come up:\n" + "".join(said))

    def sql(self, statement: str) -> str:
        """One statement, as the owner, with the password that this stack made."""
        secret = self.place.secrets()["PG_OWNER"]
        with psycopg.connect(
            host="127.0.0.1", port=self.port(1), user="proe_owner", password=secret, dbname="proe"
        ) as connection:
            cursor = connection.execute(statement.encode())
            return str(cursor.fetchone()) if cursor.description else ""


def _ports() -> Ports:
    """A site's port whose neighbours 100 above it, where the other parts go, are free too."""
    for _ in range(50):
        ports = choose_free()
        if all(is_free(ports["web"] + 100 + offset) for offset in OFFSETS.values()):
            return ports
    pytest.fail("no free ports")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    stack = Demo(tmp_path / "a folder" / ".demo", _ports())
    yield stack
    for process in stack.started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(START)
        if process.stdout:
            process.stdout.close()
    remove(Place(stack.folder, temporary=True))


@dataclass(frozen=True)
class Outcome:
    """What a finished command said."""

    status: int
    out: str
    err: str


def run_demo(*arguments: str, timeout: float = START, environment: dict[str, str] | None = None) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.stack", *arguments],
        check=False,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
