"""What the supervisor says, and where: to the terminal in full, or only what went wrong."""

import contextlib
import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass
class Screen:
    """Lines for people. `quiet`: progress is left out; trouble never is."""

    quiet: bool = False
    out: TextIO = sys.stderr

    def part(self, title: str, address: str, seconds: float) -> None:
        self.note(f"  ✓ {title:<18} {address:<34} {seconds:5.1f} s")

    def note(self, line: str) -> None:
        if not self.quiet:
            self._write(line)

    def warn(self, line: str) -> None:
        self._write(f"! {line}")

    def _write(self, line: str) -> None:
        # The terminal may be gone; stopping in good order goes on without it.
        with contextlib.suppress(OSError):
            print(line, file=self.out, flush=True)
