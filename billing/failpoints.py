"""Named places where a test may kill the process, to show that nothing is lost and nothing done twice.

Off unless PROE_FAILPOINT names one when the process starts.
"""

import os
import signal

_WANTED = os.environ.get("PROE_FAILPOINT", "")


def reach(name: str) -> None:
    """Die here, as if the machine lost its power, when this is the place that was named."""
    if name == _WANTED:
        os.kill(os.getpid(), signal.SIGKILL)
