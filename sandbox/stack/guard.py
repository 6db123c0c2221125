"""Stops what a killed supervisor left behind. Its parent says what runs; the end of the pipe means: clean up.

Run by file name, not as a module, with the standard library only: it has to be up before anything else.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

PATIENCE = 8.0


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop(groups: dict[int, int]) -> None:
    """Ask every group to end in its own way, and end what does not."""
    for group, number in reversed(groups.items()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    until = time.monotonic() + PATIENCE
    while any(alive(group) for group in groups) and time.monotonic() < until:
        time.sleep(0.05)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: dict[int, int] = {}
    folders: list[str] = []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "add":
            group, _, number = rest.partition(" ")
            groups[int(group)] = int(number)
        elif word == "gone":
            groups.pop(int(rest), None)
        elif word == "folder":
            folders.append(rest)
    stop(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
