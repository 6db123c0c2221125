"""Child processes of the supervisor: each in a session of its own, known to the guard, ended as a group."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.stack.parts import Part
from sandbox.stack.place import ROOT, Place

PR_SET_PDEATHSIG = 1


class Guard:
    """The process that cleans up when this one is killed outright."""

    def __init__(self, place: Place) -> None:
        script = Path(__file__).with_name("guard.py")
        held = [place.lock.fileno()] if place.lock else []
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd="/",
            start_new_session=True,
            pass_fds=held,
        )
        if place.temporary:
            self.tell(f"folder {place.folder}")
            self.tell(f"folder {place.postgres}")

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def finish(self) -> None:
        """Let it do the rest and end."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


@dataclass
class Child:
    """A running process and its log."""

    process: subprocess.Popen[bytes]
    guard: Guard
    log: Path | None = None
    log_start: int = 0

    def written(self) -> str:
        """What it has written to its log since it was started."""
        if self.log is None:
            return ""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def last_lines(self, count: int = 15) -> str:
        return "\n".join("    " + line for line in deque(self.written().splitlines(), count))

    def ended(self) -> bool:
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def wait(self, patience: float, hurry: Callable[[], bool]) -> bool:
        until = time.monotonic() + patience
        while not self.ended():
            if time.monotonic() > until or hurry():
                return False
            time.sleep(0.02)
        return True

    def linger(self, patience: float) -> None:
        """After its end: let what it started end by itself too."""
        until = time.monotonic() + patience
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < until:
                os.killpg(self.process.pid, 0)
                time.sleep(0.02)

    def forget(self) -> None:
        """After its end: what its group still holds ends too."""
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.guard.tell(f"gone {self.process.pid}")


def start_part(part: Part, place: Place, environment: Mapping[str, str], guard: Guard) -> Child:
    log = place.logs / f"{part.name}.log"
    start = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = _popen(
            part.command,
            environment,
            guard,
            stop_signal=part.stop_signal,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **{"cwd": str(ROOT), **part.identity},
        )
    return Child(process, guard, log, start)


def start_command(command: list[str], environment: Mapping[str, str], guard: Guard, **options: Any) -> Child:
    """A command whose output goes where ours goes."""
    return Child(
        _popen(command, environment, guard, stop_signal=signal.SIGTERM, **options),
        guard,
    )


def _popen(
    command: list[str],
    environment: Mapping[str, str],
    guard: Guard,
    *,
    stop_signal: signal.Signals,
    **options: Any,
) -> "subprocess.Popen[bytes]":
    options.setdefault("start_new_session", "process_group" not in options)
    process = subprocess.Popen(
        command,
        env=dict(environment),
        preexec_fn=_die_with(stop_signal),
        **options,
    )
    guard.tell(f"add {process.pid} {int(stop_signal)}")
    return process


def _die_with(number: signal.Signals) -> Callable[[], None] | None:
    """On Linux the kernel itself tells the child when we are gone; the guard sees to its descendants."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)

    return in_child


def stop(child: Child, part: Part, hurry: Callable[[], bool]) -> None:
    """Ask, wait, insist."""
    if not child.ended():
        # The main process alone is asked: it knows how to end its own children.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            child.process.send_signal(part.stop_signal)
        if not child.wait(part.patience, hurry):
            child.signal(part.hurry_signal)
            child.wait(3.0, lambda: False)
    child.forget()
