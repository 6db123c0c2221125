"""The stand-in's own clock: real time plus an offset that the control endpoint may move."""

import time


class Clock:
    def __init__(self, offset: int = 0) -> None:
        self.offset = offset

    def now(self) -> int:
        """Seconds since the epoch by this clock; what objects are dated with."""
        return int(time.time()) + self.offset

    def precise(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: int) -> None:
        self.offset += seconds

    def set(self, at: int) -> None:
        self.offset = at - int(time.time())
